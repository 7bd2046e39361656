// token list, token revoke
#include <ostream>

#include "async/run_task.hpp"
#include "base/json_writer.hpp"
#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "cli/table.hpp"
#include "cli/user_actions.hpp"
#include "user/time_text.hpp"

namespace um {
namespace {

constexpr std::int64_t kPageUsers = 1000;

struct ListedToken {
  UserRef owner;
  SessionRef session;
};
using Tokens = std::vector<ListedToken>;

Task<Result<void>> add_tokens(Storage& storage, UserRef owner, Tokens& out, Deadline deadline) {
  const auto sessions = co_await storage.sessions().list(owner->user.id, deadline);
  if (!sessions) co_return fail(sessions.error());
  for (const SessionRef& session : *sessions) {
    if (session->kind == SessionKind::service_token) out.push_back({owner, session});
  }
  co_return Result<void>{};
}

// The tokens of all users with the role; nobody else has any that are alive.
Task<Result<Tokens>> all_tokens(Storage& storage, const CliIo& io) {
  Tokens out;
  Page page{.limit = kPageUsers};
  while (true) {
    const auto users = co_await storage.users().list(page, call_deadline(io));
    if (!users) co_return fail(users.error());
    for (const UserRef& user : *users) {
      if (user->user.role != Role::service) continue;
      const auto added = co_await add_tokens(storage, user, out, call_deadline(io));
      if (!added) co_return fail(added.error());
    }
    if (users->size() < static_cast<std::size_t>(kPageUsers)) co_return out;
    page.after = users->back()->user.id;
  }
}

Task<Result<Tokens>> tokens_of(Storage& storage, std::string who, const CliIo& io) {
  Tokens out;
  const auto owner = co_await find_user(storage.users(), std::move(who), call_deadline(io));
  if (!owner) co_return fail(owner.error());
  const auto added = co_await add_tokens(storage, *owner, out, call_deadline(io));
  if (!added) co_return fail(added.error());
  co_return out;
}

class TokenList final : public Command {
 public:
  About about() const override {
    return {.name = "list", .summary = "list the tokens that are alive, of one user or of all"};
  }
  void declare(Options& options) override {
    options.text({"--email", "only of this user [default: everybody's]", "ADDRESS"}, email_);
  }
  Result<ExitCode> run(const Context& context) override {
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto tokens = um::run(email_ ? tokens_of(**storage, *email_, context.io)
                                       : all_tokens(**storage, context.io));
    if (!tokens) return fail(tokens.error());
    if (context.json) {
      context.io.out << to_json(*tokens) << '\n';
      return ExitCode::done;
    }
    Table table{{{"ID"}, {"EMAIL"}, {"CREATED"}, {"EXPIRES"}, {"LABEL"}}};
    for (const auto& [owner, session] : *tokens) {
      table.add({std::string{session->id.text()}, owner->user.email.text(),
                 time_text(session->created_at), time_text(session->expires_at),
                 session->user_agent});
    }
    table.write(context.io.out);
    return ExitCode::done;
  }

 private:
  static std::string to_json(const std::vector<ListedToken>& tokens) {
    JsonWriter json;
    json.open_array(JsonWriter::Layout::lines);
    for (const ListedToken& token : tokens) {
      json.open_object()
          .member("id", token.session->id.text())
          .member("user_id", token.owner->user.id.value())
          .member("email", token.owner->user.email.text())
          .member("created_at", time_text(token.session->created_at))
          .member("expires_at", time_text(token.session->expires_at))
          .member("label", token.session->user_agent)
          .close();
    }
    return json.close().take();
  }
  std::optional<std::string> email_;
};

Task<Result<void>> revoke_token(Storage& storage, SessionId id, Deadline deadline) {
  const ReadOptions options{.from_primary = true, .deadline = deadline};
  const auto found = co_await storage.sessions().find(id, options);
  if (!found) co_return fail(found.error());
  const bool is_token = found->value && found->value->kind == SessionKind::service_token;
  if (!is_token) co_return fail(ErrorCode::not_found, "no such token");
  auto revoked = co_await storage.sessions().revoke({.id = id, .owner = {}}, deadline);
  co_return revoked;
}

class TokenRevoke final : public Command {
 public:
  About about() const override {
    return {.name = "revoke", .summary = "end a token; no instance accepts it from then on"};
  }
  void declare(Options& options) override {
    options.positional({"ID", "as `token list` shows it"}, id_);
  }
  Result<ExitCode> run(const Context& context) override {
    const auto id = SessionId::parse(id_);
    if (!id)
      return misuse("\"" + shown(id_) +
                    "\" is not the id of a token; `user-manager token list` shows them");
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto revoked = um::run(revoke_token(**storage, *id, call_deadline(context.io)));
    if (!revoked) return fail(revoked.error());
    if (context.json) {
      context.io.out << JsonWriter{}.open_object().member("revoked", id_).close().text() << '\n';
    } else {
      context.io.out << "revoked token " << id_ << '\n';
    }
    return ExitCode::done;
  }

 private:
  std::string id_;
};

}  // namespace

std::unique_ptr<Command> make_token_list_command() {
  return std::make_unique<TokenList>();
}
std::unique_ptr<Command> make_token_revoke_command() {
  return std::make_unique<TokenRevoke>();
}

}  // namespace um
