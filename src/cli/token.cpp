// token create, list, revoke
#include <ostream>

#include "async/run_task.hpp"
#include "base/json_writer.hpp"
#include "cli/command.hpp"
#include "cli/layout.hpp"
#include "cli/messages.hpp"
#include "cli/operator.hpp"
#include "config/units.hpp"
#include "service/service_tokens.hpp"
#include "user/time_text.hpp"

namespace um {
namespace {

class TokenCreate final : public Command {
 public:
  About about() const override {
    return {.name = "create",
            .summary = "make a long-lived token; it is shown once",
            .examples = "  user-manager token create --email bot@example.org --ttl 30d"};
  }
  void declare(Options& options) override {
    options.required_text(
        {"--email", "owner of the token; a user with the role service", "ADDRESS"}, email_);
    options.text({"--ttl", "lifetime, at most 365d [default: 90d]", "DURATION"}, ttl_);
    options.text({"--label",
                  "description in the list of tokens; at most 200 printable ASCII characters "
                  "[default: empty]",
                  "TEXT"},
                 label_);
  }

  Result<ExitCode> run(const Context& context) override {
    auto request = read_request();
    if (!request) return fail(std::move(request.error()));
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto authority = make_token_authority(context, **storage);
    if (!authority) return fail(authority.error());
    const Deadline deadline = call_deadline(context.io);
    if (const auto ready = um::run((*authority)->start(deadline)); !ready)
      return fail(ready.error());
    ServiceTokens tokens{ServiceTokens::Parts{.users = (*storage)->users(),
                                              .sessions = (*storage)->sessions(),
                                              .tokens = **authority,
                                              .clock = context.io.clock}};
    const auto made = um::run(tokens.create(*std::move(request), deadline));
    if (!made) return fail(made.error());
    write(context, *made);
    return ExitCode::done;
  }

 private:
  Result<ServiceTokens::Create> read_request() const {
    auto owner = Email::parse(email_);
    if (!owner) return misuse("--email: \"" + shown(email_) + "\" is not an e-mail address");
    ServiceTokens::Create request{.owner = *std::move(owner), .label = label_.value_or("")};
    if (ttl_) {
      const auto ttl = parse_duration(*ttl_);
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
          ttl.value_or(std::chrono::milliseconds{0}));
      if (seconds.count() < 1 || seconds > ServiceTokens::kMaxTtl) {
        return misuse("--ttl: \"" + shown(*ttl_) +
                      "\" is not allowed; allowed: a duration from 1s to 365d, such as 90d");
      }
      request.ttl = seconds;
    }
    return request;
  }

  // The token alone goes to standard output, so that it can be put into a file.
  static void write(const Context& context, const ServiceTokens::Created& made) {
    const std::string id{made.session->id.text()};
    const std::string expires = time_text(made.session->expires_at);
    if (context.json) {
      context.io.out << JsonWriter{}
                            .open_object()
                            .member("token", made.token.reveal())
                            .member("id", id)
                            .member("expires_at", expires)
                            .close()
                            .text()
                     << '\n';
      return;
    }
    context.io.err << "token " << id << ", valid until " << expires << "; it is not shown again\n";
    context.io.out << made.token.reveal() << '\n';
  }

  std::string email_;
  std::optional<std::string> ttl_;
  std::optional<std::string> label_;
};

constexpr std::int64_t kOwnersPerPage = 1000;

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

// The tokens of all users with the role service: tokens of other users are not alive.
Task<Result<Tokens>> all_tokens(Storage& storage, const CliIo& io) {
  Tokens out;
  Page page{.limit = kOwnersPerPage};
  while (true) {
    const auto users = co_await storage.users().list(page, call_deadline(io));
    if (!users) co_return fail(users.error());
    for (const UserRef& user : *users) {
      if (user->user.role != Role::service) continue;
      const auto added = co_await add_tokens(storage, user, out, call_deadline(io));
      if (!added) co_return fail(added.error());
    }
    if (users->size() < static_cast<std::size_t>(kOwnersPerPage)) co_return out;
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
    options.text({"--email", "only of this user [default: of all users]", "ADDRESS"}, email_);
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

std::unique_ptr<Command> make_token_create_command() {
  return std::make_unique<TokenCreate>();
}
std::unique_ptr<Command> make_token_list_command() {
  return std::make_unique<TokenList>();
}
std::unique_ptr<Command> make_token_revoke_command() {
  return std::make_unique<TokenRevoke>();
}

}  // namespace um
