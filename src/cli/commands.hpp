// The commands, in the order in which help lists them.
#pragma once

#include <vector>

#include "cli/command.hpp"

namespace um {

std::unique_ptr<Command> make_serve_command();
std::unique_ptr<Command> make_migrate_command();
std::unique_ptr<Command> make_user_create_command();
std::unique_ptr<Command> make_user_show_command();
std::unique_ptr<Command> make_user_list_command();
std::unique_ptr<Command> make_user_update_command();
std::unique_ptr<Command> make_user_set_password_command();
std::unique_ptr<Command> make_user_set_role_command();
std::unique_ptr<Command> make_user_disable_command();
std::unique_ptr<Command> make_user_enable_command();
std::unique_ptr<Command> make_user_delete_command();
std::unique_ptr<Command> make_import_command();
std::unique_ptr<Command> make_export_command();
std::unique_ptr<Command> make_token_create_command();
std::unique_ptr<Command> make_token_list_command();
std::unique_ptr<Command> make_token_revoke_command();
std::unique_ptr<Command> make_keys_list_command();
std::unique_ptr<Command> make_keys_rotate_command();
std::unique_ptr<Command> make_keys_revoke_command();
std::unique_ptr<Command> make_backup_command();
std::unique_ptr<Command> make_config_command();
std::unique_ptr<Command> make_version_command();

std::vector<CommandGroup> make_commands();

}  // namespace um
