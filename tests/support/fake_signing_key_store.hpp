// FakeSigningKeyStore: a SigningKeyStore in memory, for unit tests. For one thread.
#pragma once

#include <algorithm>

#include "storage/signing_key_store.hpp"

namespace um::testing {

class FakeSigningKeyStore final : public SigningKeyStore {
 public:
  std::vector<SigningKey> rows;  // newest first
  std::optional<Error> failure;  // what every call answers while it is set
  int lists = 0;

  Task<Result<std::vector<SigningKey>>> list(Deadline) override {
    ++lists;
    if (failure) co_return fail(*failure);
    co_return rows;
  }
  Task<Result<SigningKey>> insert_first(SigningKey key, Deadline) override {
    if (failure) co_return fail(*failure);
    const auto usable = std::ranges::find_if(
        rows, [](const SigningKey& row) { return !row.retired_at && !row.revoked_at; });
    if (usable != rows.end()) co_return *usable;
    rows.insert(rows.begin(), key);
    co_return key;
  }
  Task<Result<void>> rotate(Rotate rotate, Deadline) override {
    if (failure) co_return fail(*failure);
    for (SigningKey& row : rows) {
      if (row.retired_at) continue;
      row.retired_at = rotate.now;
      row.verify_until = rotate.old_verify_until;
    }
    rows.insert(rows.begin(), std::move(rotate.key));
    co_return Result<void>{};
  }
  Task<Result<void>> revoke(Revoke revoke, Deadline) override {
    if (failure) co_return fail(*failure);
    const auto found = std::ranges::find(rows, revoke.kid, &SigningKey::kid);
    if (found == rows.end()) co_return fail(ErrorCode::not_found);
    found->revoked_at = revoke.now;
    co_return Result<void>{};
  }
};

}  // namespace um::testing
