// Handlers for those who run the service, and for programs that want to know about it.
// Thread safety: any event loop; no state that changes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/call.hpp"
#include "api/operations.hpp"

namespace um::api {

class OpsHandlers {
 public:
  OpsHandlers(Operations& operations, std::string openapi_document)
      : operations_{operations},
        openapi_{std::make_shared<const std::string>(std::move(openapi_document))} {}

  std::optional<Answer> healthz_now(Call& call);
  std::optional<Answer> openapi_now(Call& call);
  Task<Answer> healthz(Call& call);
  Task<Answer> openapi(Call& call);
  Task<Answer> readyz(Call& call);
  Task<Answer> metrics(Call& call);
  Task<Answer> cache_stats(Call& call);
  Task<Answer> jwks(Call& call);

 private:
  Operations& operations_;
  std::shared_ptr<const std::string> openapi_;
};

}  // namespace um::api
