// SmallDisk: a small file system in memory, to be filled or made read-only. Only root may mount
// one; mounted() tells whether that succeeded.
//
// Thread safety: none.
#pragma once

#include <string>

namespace um::test {

class SmallDisk {
 public:
  struct Options {
    std::string size = "4m";  // as the option of tmpfs
    std::string owner{};      // the name of a user of this machine; empty: the test's user
  };
  explicit SmallDisk(Options options);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& where() const { return where_; }
  std::string file(const std::string& name) const { return where_ + '/' + name; }
  bool make_read_only() const;
  // Until there is no space left.
  void fill() const;
  // Deletes the file that fill() wrote.
  void empty() const;

 private:
  bool mount() const;
  bool hand_over() const;

  Options options_;
  std::string where_;
  bool mounted_ = false;
};

}  // namespace um::test
