// user show, list
#include <ostream>

#include "async/run_task.hpp"
#include "cli/command.hpp"
#include "cli/layout.hpp"
#include "cli/messages.hpp"
#include "cli/operator.hpp"
#include "user/time_text.hpp"

namespace um {
namespace {

void write_user(std::ostream& out, const User& user) {
  const auto line = [&out](std::string_view name, std::string_view value) {
    out << name << std::string(15 - name.size(), ' ') << shown(value) << '\n';
  };
  line("id", user.id.text());
  line("email", user.email.text());
  line("username", user.username.value_or("-"));
  line("first name", user.first_name);
  line("last name", user.last_name);
  line("role", to_string(user.role));
  line("active", user.is_active ? "yes" : "no");
  line("quota", user.quota_usd ? user.quota_usd->text() + " USD" : "unlimited");
  line("used", user.used_usd.text() + " USD");
  line("model settings", user.model_capability_settings.value_or("-"));
  line("created", time_text(user.created_at));
  line("updated", time_text(user.updated_at));
  line("last sign-in", user.last_login_at ? time_text(*user.last_login_at) : "never");
  line("version", std::to_string(user.version));
}

class UserShow final : public Command {
 public:
  About about() const override {
    return {
        .name = "show",
        .summary = "show a user",
        .examples = "  user-manager user show 42\n  user-manager user show ann@example.org --json"};
  }
  void declare(Options& options) override {
    options.positional({"USER", "id or e-mail address"}, who_);
  }
  Result<ExitCode> run(const Context& context) override {
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto user = um::run(find_user((*storage)->users(), who_, call_deadline(context.io)));
    if (!user) return fail(user.error());
    if (context.json) {
      context.io.out << (*user)->json << '\n';
    } else {
      write_user(context.io.out, (*user)->user);
    }
    return ExitCode::done;
  }

 private:
  std::string who_;
};

// "2026-11-22 01:35": minutes are enough to tell rows apart, and seconds make lines long.
std::string short_time(WallTime time) {
  std::string text = time_text(time).substr(0, 16);
  text[10] = ' ';
  return text;
}

void write_user_table(std::ostream& out, const std::vector<UserRef>& users) {
  using enum Table::Column::Align;
  Table table{{{"ID", right},
               {"EMAIL"},
               {"NAME", left, 30},
               {"ROLE"},
               {"ACTIVE"},
               {"CREATED (UTC)"},
               {"LAST SIGN-IN (UTC)"}}};
  for (const UserRef& record : users) {
    const User& user = record->user;
    const bool both = !user.first_name.empty() && !user.last_name.empty();
    table.add({user.id.text(), user.email.text(),
               user.first_name + (both ? " " : "") + user.last_name,
               std::string{to_string(user.role)}, user.is_active ? "yes" : "no",
               short_time(user.created_at),
               user.last_login_at ? short_time(*user.last_login_at) : "never"});
  }
  table.write(out);
}

void write_user_list(std::ostream& out, const std::vector<UserRef>& users) {
  out << '[';
  for (std::size_t i = 0; i < users.size(); ++i) out << (i == 0 ? "\n" : ",\n") << users[i]->json;
  out << (users.empty() ? "]\n" : "\n]\n");
}

class UserList final : public Command {
 public:
  About about() const override {
    return {.name = "list",
            .summary = "list users by id, or those that match a keyword",
            .examples =
                "  user-manager user list --limit 100\n  user-manager user list --after 100\n"
                "  user-manager user list --search smith --json"};
  }
  void declare(Options& options) override {
    options.text(
        {"--search", "only users with this in their name or e-mail, without case", "KEYWORD"},
        search_);
    options.text({"--after", "only users with a greater id: the next page", "ID"}, after_);
    options.text({"--limit", "users at most, 1 to 1000 [default: 50]", "NUMBER"}, limit_);
  }

  Result<ExitCode> run(const Context& context) override {
    const auto limit =
        number_of({.name = "--limit", .fallback = 50, .min = 1, .max = 1000}, limit_);
    if (!limit) return fail(limit.error());
    // One more than wanted tells whether there are more.
    Page page{.limit = static_cast<std::int64_t>(*limit) + 1};
    if (after_) {
      page.after = UserId::parse(*after_);
      if (!page.after) return misuse("--after: \"" + shown(*after_) + "\" is not an id");
    }
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    auto users = um::run(read((*storage)->users(), page, call_deadline(context.io)));
    if (!users) return fail(std::move(users.error()));
    const bool more = users->size() > *limit;
    if (more) users->pop_back();
    write(context, *users, more);
    return ExitCode::done;
  }

 private:
  Task<Result<std::vector<UserRef>>> read(UserStore& store, Page page, Deadline deadline) const {
    if (search_ && !search_->empty()) return store.search(*search_, page, deadline);
    return store.list(page, deadline);
  }

  static void write(const Context& context, const std::vector<UserRef>& users, bool more) {
    if (context.json) return write_user_list(context.io.out, users);
    write_user_table(context.io.out, users);
    if (!more) return;
    context.io.out.flush();
    context.io.err << "There are more: --after " << users.back()->user.id.text() << '\n';
  }

  std::optional<std::string> search_;
  std::optional<std::string> after_;
  std::optional<std::string> limit_;
};

}  // namespace

std::unique_ptr<Command> make_user_show_command() {
  return std::make_unique<UserShow>();
}
std::unique_ptr<Command> make_user_list_command() {
  return std::make_unique<UserList>();
}

}  // namespace um
