// Handlers for operators of the service, and for programs that ask about the process.
#include "api/handlers.hpp"

namespace um::api::handlers {

std::optional<Answer> healthz_now(Exchange& exchange) {
  exchange.response.headers += "Cache-Control: no-store\r\n";
  answer_json(exchange, 200, R"({"status":"ok"})");
  return Answer{};
}

std::optional<Answer> openapi_now(Exchange& exchange, const OpenApiDocument& document) {
  exchange.response.headers +=
      "Cache-Control: no-cache\r\n"
      "Content-Type: application/json\r\n";
  exchange.response.shared_body = document.json;
  return Answer{};
}

Task<Answer> healthz(Exchange& exchange) {
  co_return *healthz_now(exchange);
}
Task<Answer> openapi(Exchange& exchange, const OpenApiDocument& document) {
  co_return *openapi_now(exchange, document);
}

Task<Answer> readyz(Exchange& exchange, ProcessInfo& process) {
  std::vector<Missing> missing = co_await process.readiness(exchange.deadline);
  if (missing.empty()) {
    exchange.response.headers += "Cache-Control: no-store\r\n";
    answer_json(exchange, 200, R"({"status":"ready"})");
    co_return Answer{};
  }
  Problem problem{.code = ProblemCode::not_ready};
  for (Missing& part : missing) {
    if (!problem.detail.empty()) problem.detail += "; ";
    problem.detail.append(part.part).append(": ").append(part.detail);
    problem.fields.push_back({std::move(part.part), "missing", std::move(part.detail)});
  }
  co_return refuse(std::move(problem));
}

Task<Answer> metrics(Exchange& exchange, ProcessInfo& process) {
  Result<std::string> text = co_await process.metrics(exchange.deadline);
  if (!text) co_return refuse(to_problem(std::move(text.error())));
  exchange.response.headers +=
      "Cache-Control: no-store\r\n"
      "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n";
  exchange.response.body = std::move(*text);
  co_return Answer{};
}

Task<Answer> cache_stats(Exchange& exchange, ProcessInfo& process) {
  Result<std::string> json = co_await process.cache_stats(exchange.deadline);
  if (!json) co_return refuse(to_problem(std::move(json.error())));
  exchange.response.headers += "Cache-Control: no-store\r\n";
  answer_json(exchange, 200, std::move(*json));
  co_return Answer{};
}

Task<Answer> jwks(Exchange& exchange, ProcessInfo& process) {
  Result<std::string> json = co_await process.jwks(exchange.deadline);
  if (!json) co_return refuse(to_problem(std::move(json.error())));
  // Short, so that a revoked key disappears soon. For a key it does not know a verifier asks again
  // by itself.
  exchange.response.headers += "Cache-Control: public, max-age=60\r\n";
  answer_json(exchange, 200, std::move(*json));
  co_return Answer{};
}

}  // namespace um::api::handlers
