// token create
#include <ostream>

#include "async/run_task.hpp"
#include "base/json_writer.hpp"
#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "cli/token_tools.hpp"
#include "cli/user_actions.hpp"
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
    options.required_text({"--email", "whose token; a user with the role service", "ADDRESS"},
                          email_);
    options.text({"--ttl", "lifetime, at most 365d [default: 90d]", "DURATION"}, ttl_);
    options.text(
        {"--label",
         "what the list shows of it; at most 200 printable ASCII characters [default: empty]",
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

}  // namespace

std::unique_ptr<Command> make_token_create_command() {
  return std::make_unique<TokenCreate>();
}

}  // namespace um
