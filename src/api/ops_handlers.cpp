#include "api/ops_handlers.hpp"

namespace um::api {

std::optional<Answer> OpsHandlers::healthz_now(Call& call) {
  call.response.headers += "Cache-Control: no-store\r\n";
  answer_json(call, 200, R"({"status":"ok"})");
  return Answer{};
}

std::optional<Answer> OpsHandlers::openapi_now(Call& call) {
  call.response.headers +=
      "Cache-Control: no-cache\r\n"
      "Content-Type: application/json\r\n";
  call.response.shared_body = openapi_;
  return Answer{};
}

Task<Answer> OpsHandlers::healthz(Call& call) {
  co_return *healthz_now(call);
}
Task<Answer> OpsHandlers::openapi(Call& call) {
  co_return *openapi_now(call);
}

Task<Answer> OpsHandlers::readyz(Call& call) {
  std::vector<Missing> missing = co_await operations_.readiness(call.deadline);
  if (missing.empty()) {
    call.response.headers += "Cache-Control: no-store\r\n";
    answer_json(call, 200, R"({"status":"ready"})");
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

Task<Answer> OpsHandlers::metrics(Call& call) {
  Result<std::string> text = co_await operations_.metrics(call.deadline);
  if (!text) co_return refuse(to_problem(std::move(text.error())));
  call.response.headers +=
      "Cache-Control: no-store\r\n"
      "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n";
  call.response.body = std::move(*text);
  co_return Answer{};
}

Task<Answer> OpsHandlers::cache_stats(Call& call) {
  Result<std::string> json = co_await operations_.cache_stats(call.deadline);
  if (!json) co_return refuse(to_problem(std::move(json.error())));
  call.response.headers += "Cache-Control: no-store\r\n";
  answer_json(call, 200, std::move(*json));
  co_return Answer{};
}

Task<Answer> OpsHandlers::jwks(Call& call) {
  Result<std::string> json = co_await operations_.jwks(call.deadline);
  if (!json) co_return refuse(to_problem(std::move(json.error())));
  // A revoked key must not be believed for long; verifiers look for an unknown one by themselves.
  call.response.headers += "Cache-Control: public, max-age=60\r\n";
  answer_json(call, 200, std::move(*json));
  co_return Answer{};
}

}  // namespace um::api
