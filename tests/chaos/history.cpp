#include "history.hpp"

#include <algorithm>
#include <unordered_map>

namespace um::e2e {
namespace {

using Kind = Operation::Kind;

std::string describe(const Operation& operation) {
  return std::string{operation.kind == Kind::read ? "a read" : "a write"} + " of version " +
         std::to_string(operation.version);
}

}  // namespace

std::vector<std::string> violations(std::vector<Operation> history, std::int64_t initial) {
  std::vector<std::string> found;
  std::unordered_map<std::int64_t, Operation> writes;
  for (const auto& operation : history) {
    if (operation.kind == Kind::write && !writes.emplace(operation.version, operation).second) {
      found.push_back("two writes made version " + std::to_string(operation.version));
    }
  }

  auto by_end = history;
  std::ranges::sort(by_end, {}, &Operation::end);
  std::ranges::sort(history, {}, &Operation::begin);
  auto ended = by_end.begin();
  std::int64_t newest_known = initial;
  for (const auto& operation : history) {
    for (; ended != by_end.end() && ended->end < operation.begin; ++ended) {
      newest_known = std::max(newest_known, ended->version);
    }
    const bool is_read = operation.kind == Kind::read;
    if (is_read ? operation.version < newest_known : operation.version <= newest_known) {
      found.push_back(describe(operation) + " although " + std::to_string(newest_known) +
                      " was known before it began");
    }
    if (!is_read || operation.version <= initial) continue;
    const auto write = writes.find(operation.version);
    if (write == writes.end()) {
      found.push_back(describe(operation) + ", which nobody wrote");
    } else if (write->second.begin > operation.end) {
      found.push_back(describe(operation) + " before its write began");
    }
  }
  return found;
}

}  // namespace um::e2e
