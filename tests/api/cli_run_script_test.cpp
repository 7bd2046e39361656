// ./run: when it builds and when it does not. A stand-in for ninja "builds" by copying the source.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_directory.hpp"

namespace um::e2e {
namespace {

namespace fs = std::filesystem;

// The program is its source. The commands of EDIT are executed while the build runs.
constexpr std::string_view kNinja = R"(#!/bin/sh
cp src/program build/release/user-manager.new
sleep 0.05
eval "$EDIT"
chmod +x build/release/user-manager.new
mv build/release/user-manager.new build/release/user-manager
echo built >> builds
)";

class CliRunScript : public ::testing::Test {
 protected:
  CliRunScript() {
    const fs::path source{UM_SOURCE_DIR};
    for (const char* folder : {"tools", "src", "cmake", "bin", "build/release"})
      fs::create_directories(directory_.path() / folder);
    for (const char* file :
         {"run", "tools/install_packages.sh", "CMakeLists.txt", "CMakePresets.json"})
      fs::copy_file(source / file, directory_.path() / file);
    directory_.write("tools/packages.txt", "build something\n");
    directory_.write("build/release/build.ninja", "");
    directory_.write("src/program", "#!/bin/sh\necho one\n");
    tool("ninja", kNinja);
    tool("dpkg-query", "#!/bin/sh\necho installed something\n");
  }
  void tool(const std::string& name, std::string_view text) const {
    fs::permissions(directory_.write("bin/" + name, text), fs::perms::owner_all);
  }
  RunResult call(const std::string& edit = "") const {
    return run(
        {.program = directory_.file("run"),
         .environment = {{"PATH", directory_.file("bin") + ":/usr/bin:/bin"}, {"EDIT", edit}},
         .working_directory = directory_.path().string()});
  }
  std::string builds() const {
    return fs::exists(directory_.path() / "builds") ? test::read_file(directory_.file("builds"))
                                                    : "";
  }

  test::TempDirectory directory_;
};

TEST_F(CliRunScript, ASecondRunBuildsNothing) {
  EXPECT_EQ(call().out, "one\n");
  EXPECT_EQ(call().out, "one\n");
  EXPECT_EQ(builds(), "built\n");
}

TEST_F(CliRunScript, ASourceThatWasSavedWhileTheBuildRanIsBuiltNextTime) {
  EXPECT_EQ(call("printf '#!/bin/sh\\necho two\\n' > src/program").out, "one\n");
  EXPECT_EQ(call().out, "two\n");
  EXPECT_EQ(call().out, "two\n");
  EXPECT_EQ(builds(), "built\nbuilt\n");
}

TEST_F(CliRunScript, ABuildThatFailedIsTriedAgain) {
  EXPECT_EQ(call("exit 1").code, 1);
  EXPECT_EQ(call().out, "one\n");
  EXPECT_EQ(builds(), "built\n");
}

TEST_F(CliRunScript, MissingPackagesAreNamedWithAllItTakes) {
  tool("dpkg-query", "#!/bin/sh\nexit 1\n");
  tool("id", "#!/bin/sh\necho 1000\n");
  tool("sudo", "#!/bin/sh\nexit 1\n");
  const auto result = call();
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("apt-get update && apt-get install"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find(" something\n"), std::string::npos) << result.err;
  EXPECT_EQ(builds(), "");
}

}  // namespace
}  // namespace um::e2e
