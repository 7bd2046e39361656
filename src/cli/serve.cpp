// serve
#include "cli/command.hpp"

namespace um {
namespace {

class Serve final : public Command {
 public:
  About about() const override {
    return {.name = "serve",
            .summary = "answer HTTP requests until SIGTERM or Ctrl-C",
            .examples =
                "  user-manager serve\n"
                "  user-manager serve --listen 0.0.0.0:8080 --database sqlite:/srv/users.db\n"
                "  user-manager serve --migrate --database postgresql://um@db/users\n"
                "  USER_MANAGER_CACHE_CAPACITY=1GiB user-manager serve --config um.toml",
            .settings = SettingFlags::all,
            .has_json = false};
  }
  void declare(Options& options) override {
    options.flag({"--migrate", "bring a PostgreSQL database to this version's schema first"},
                 request_.migrate);
  }
  Result<ExitCode> run(const Context& context) override {
    return static_cast<ExitCode>(context.backend.serve(context.config, request_, context.io));
  }

 private:
  ServeRequest request_;
};

}  // namespace

std::unique_ptr<Command> make_serve_command() {
  return std::make_unique<Serve>();
}

}  // namespace um
