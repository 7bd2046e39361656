#include "drivers/pg/libpq.hpp"

#include <string_view>

#include <libpq-fe.h>
#include <openssl/ssl.h>

namespace um::pg {

ParamArrays::ParamArrays(const Params& params)
    : values(params.size()), lengths(params.size()), formats(params.size()) {
  for (std::size_t i = 0; i < params.size(); ++i) {
    const Params::Value value = params.at(i);
    values[i] = value.data;
    lengths[i] = value.length;
    formats[i] = value.binary ? 1 : 0;
  }
}

std::string error_field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

Failure failure_of(const PGresult* result) {
  Failure failure{.sqlstate = error_field(result, PG_DIAG_SQLSTATE),
                  .constraint = error_field(result, PG_DIAG_CONSTRAINT_NAME),
                  .message = error_field(result, PG_DIAG_MESSAGE_PRIMARY)};
  failure.kind = classify(failure.sqlstate);
  return failure;
}

std::string first_line_of_error(const PGconn* connection) {
  const std::string_view all{PQerrorMessage(connection)};
  return std::string{all.substr(0, all.find('\n'))};
}

bool decrypted_bytes_wait(PGconn* connection) {
  auto* tls = static_cast<SSL*>(PQsslStruct(connection, "OpenSSL"));
  return tls != nullptr && SSL_pending(tls) > 0;
}

void ignore_notices(PGconn* connection) {
  PQsetNoticeReceiver(connection, [](void*, const PGresult*) {}, nullptr);
}

bool tells_of_unreplicated_commit(const PGresult* notice) {
  return error_field(notice, PG_DIAG_SOURCE_FUNCTION) == "SyncRepWaitForLSN";
}

}  // namespace um::pg
