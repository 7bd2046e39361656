#include "user/merge_patch.hpp"

#include <map>

#include "user/text.hpp"

namespace um {

namespace {

// As JSON text again: of strings JsonMember has the characters.
std::string json_of(const JsonMember& member) {
  if (member.kind != JsonKind::string) return member.text;
  std::string text;
  append_json_string(text, member.text);
  return text;
}

void append_member(std::string& object, const JsonMember& member, std::string_view json) {
  if (object.size() > 1) object += ',';
  append_json_string(object, member.name);
  object.append(":").append(json);
}

// What a member of the patch makes of the target's member. An object is merged even into nothing,
// because that takes the nulls out of it. Recursion is bounded by the depth that is read.
std::expected<std::string, JsonProblem> patched(const JsonMember* target, const JsonMember& patch) {
  if (patch.kind != JsonKind::object) return json_of(patch);
  const bool into_object = target != nullptr && target->kind == JsonKind::object;
  return merge_json(
      {.target = into_object ? std::string_view{target->text} : "{}", .patch = patch.text});
}

}  // namespace

std::expected<std::string, JsonProblem> merge_json(const MergePatch& merge) {
  const auto target = read_json_object(merge.target);
  if (!target) return std::unexpected(target.error());
  const auto patch = read_json_object(merge.patch);
  if (!patch) return std::unexpected(patch.error());

  std::map<std::string_view, const JsonMember*> changes;
  for (const JsonMember& member : patch->members) changes.emplace(member.name, &member);

  std::string merged = "{";
  const auto append_patched = [&](const JsonMember* old, const JsonMember& change) {
    if (change.kind == JsonKind::null) return std::expected<void, JsonProblem>{};
    const auto json = patched(old, change);
    if (!json) return std::expected<void, JsonProblem>{std::unexpected(json.error())};
    append_member(merged, change, *json);
    return std::expected<void, JsonProblem>{};
  };
  for (const JsonMember& member : target->members) {
    const auto change = changes.find(member.name);
    if (change == changes.end()) {
      append_member(merged, member, json_of(member));
      continue;
    }
    const auto appended = append_patched(&member, *change->second);
    if (!appended) return std::unexpected(appended.error());
    changes.erase(change);
  }
  for (const JsonMember& member : patch->members) {
    if (!changes.contains(member.name)) continue;
    const auto appended = append_patched(nullptr, member);
    if (!appended) return std::unexpected(appended.error());
  }
  return merged + '}';
}

}  // namespace um
