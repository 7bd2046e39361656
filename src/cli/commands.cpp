#include "cli/commands.hpp"

namespace um {
namespace {

template <class... C>
CommandGroup group(std::string_view name, std::string_view summary, C... commands) {
  CommandGroup out{.name = name, .summary = summary, .commands = {}};
  (out.commands.push_back(std::move(commands)), ...);
  return out;
}

CommandGroup alone(std::unique_ptr<Command> command) {
  return group({}, {}, std::move(command));
}

}  // namespace

std::vector<CommandGroup> make_commands() {
  std::vector<CommandGroup> all;
  all.push_back(alone(make_serve_command()));
  all.push_back(alone(make_migrate_command()));
  all.push_back(group("user", "create, show, list and change users", make_user_create_command(),
                      make_user_show_command(), make_user_list_command(),
                      make_user_update_command(), make_user_set_password_command(),
                      make_user_set_role_command(), make_user_disable_command(),
                      make_user_enable_command(), make_user_delete_command()));
  all.push_back(alone(make_import_command()));
  all.push_back(alone(make_export_command()));
  all.push_back(group("token", "long-lived tokens of users with the role `service`",
                      make_token_create_command(), make_token_list_command(),
                      make_token_revoke_command()));
  all.push_back(group("keys", "the keys that tokens are signed with", make_keys_list_command(),
                      make_keys_rotate_command(), make_keys_revoke_command()));
  all.push_back(alone(make_backup_command()));
  all.push_back(alone(make_config_command()));
  all.push_back(alone(make_version_command()));
  return all;
}

}  // namespace um
