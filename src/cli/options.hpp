// Options: how a command says which arguments it takes, without the parser's headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace um {

class Options {
 public:
  struct Spec {
    std::string_view name;           // "--email"; for a positional one "USER"
    std::string_view help;           // a phrase, with default and unit
    std::string_view placeholder{};  // what help shows for the value: "ADDRESS"
  };
  // Targets outlive parsing; they keep their value if the option is not given.
  virtual ~Options() = default;
  virtual void text(Spec spec, std::optional<std::string>& target) = 0;
  virtual void required_text(Spec spec, std::string& target) = 0;
  virtual void flag(Spec spec, bool& target) = 0;
  virtual void positional(Spec spec, std::string& target) = 0;
  virtual void optional_positional(Spec spec, std::optional<std::string>& target) = 0;
  // Accepted so that it can be refused with a reason; not shown in the help.
  virtual void hidden(Spec spec, std::optional<std::string>& target) = 0;
};

}  // namespace um
