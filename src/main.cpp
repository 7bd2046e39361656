#include "cli/cli.hpp"

int main(int argc, char** argv) {
  return um::cli_main({argv, static_cast<std::size_t>(argc)});
}
