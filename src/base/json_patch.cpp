#include "base/json_patch.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "base/exact_number.hpp"
#include "base/json_writer.hpp"

namespace um {

namespace {

using Kind = JsonValue::Kind;

std::vector<const JsonMember*> by_name(const std::vector<JsonMember>& members) {
  std::vector<const JsonMember*> sorted;
  sorted.reserve(members.size());
  for (const JsonMember& member : members) sorted.push_back(&member);
  std::ranges::sort(sorted, {}, [](const JsonMember* m) -> std::string_view { return m->name; });
  return sorted;
}

bool same_number(std::string_view one, std::string_view other) {
  const auto first = ExactNumber::read(one);
  return first && first == ExactNumber::read(other);
}

bool same_value(const JsonValue& one, const JsonValue& other) {
  if (one.kind != other.kind) return false;
  switch (one.kind) {
    case Kind::null:
      return true;
    case Kind::boolean:
      return one.boolean == other.boolean;
    case Kind::number:
      return same_number(one.text, other.text);
    case Kind::string:
      return one.text == other.text;
    case Kind::array:
      return std::ranges::equal(one.items, other.items, same_value);
    case Kind::object:
      return std::ranges::equal(by_name(one.members), by_name(other.members),
                                [](const JsonMember* a, const JsonMember* b) {
                                  return a->name == b->name && same_value(a->value, b->value);
                                });
  }
  return false;
}

}  // namespace

bool same_json(std::string_view one, std::string_view other) {
  if (one == other) return true;
  const auto first = read_json(one);
  if (!first) return false;
  const auto second = read_json(other);
  return second && same_value(*first, *second);
}

JsonValue apply_merge_patch(JsonValue target, JsonValue patch) {
  if (patch.kind != Kind::object) return patch;
  if (target.kind != Kind::object) target = JsonValue{Kind::object};

  std::unordered_map<std::string_view, JsonValue*> changes;
  for (JsonMember& member : patch.members) changes.emplace(member.name, &member.value);
  std::vector<JsonMember> merged;
  for (JsonMember& member : target.members) {
    const auto change = changes.find(member.name);
    if (change == changes.end()) {
      merged.push_back(std::move(member));
      continue;
    }
    JsonValue& value = *change->second;
    if (value.kind != Kind::null)
      merged.push_back(
          {std::move(member.name), apply_merge_patch(std::move(member.value), std::move(value))});
    changes.erase(change);
  }
  for (JsonMember& member : patch.members) {
    if (!changes.contains(member.name) || member.value.kind == Kind::null) continue;
    JsonValue value = apply_merge_patch(JsonValue{}, std::move(member.value));
    merged.push_back({std::move(member.name), std::move(value)});
  }
  target.members = std::move(merged);
  return target;
}

std::expected<std::string, JsonProblem> merge_json(const MergePatch& merge) {
  auto target = read_json(merge.target, {.values = std::numeric_limits<std::size_t>::max()});
  if (!target) return std::unexpected(target.error().problem);
  if (target->kind != Kind::object) return std::unexpected(JsonProblem::not_an_object);
  auto patch = read_json_object(merge.patch);
  if (!patch) return std::unexpected(patch.error());
  return compact_json(apply_merge_patch(*std::move(target), *std::move(patch)));
}

}  // namespace um
