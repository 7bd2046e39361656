// Refusal: why the server answers a request itself. A plain value.
#pragma once

namespace um::http {

// Why the server itself answers, without asking the application for more than the text.
enum class Refusal {
  bad_request,            // 400: malformed, or breaks a rule of RFC 9112
  request_timeout,        // 408
  content_too_large,      // 413
  uri_too_long,           // 414
  expectation_failed,     // 417
  header_too_large,       // 431
  not_implemented,        // 501: unknown method or transfer coding
  method_not_allowed,     // 405: TRACE and CONNECT; the application adds Allow
  version_not_supported,  // 505
  overloaded,             // 503: too many connections; with Retry-After
  internal,               // 500: the handler threw
};
unsigned status_of(Refusal refusal);

}  // namespace um::http
