// FaultVfs: for tests; the file system of SQLite with a disk that can be made to fail.
//
// Registers a VFS under a name of its own. Its files are those of the default VFS, but writes and
// syncs of databases and their logs return the chosen code while one is set. Thread safety: set()
// from any thread; the object outlives every connection made with it.
#pragma once

#include <atomic>
#include <memory>

namespace um::sqlite {

class FaultVfs {
 public:
  FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  ~FaultVfs();

  const char* name() const;
  // SQLite result codes; 0: works.
  void fail_writes(int code);
  void fail_syncs(int code);

  struct State;  // of the implementation

 private:
  std::unique_ptr<State> state_;
};

}  // namespace um::sqlite
