#include "drivers/sqlite/testing/fault_vfs.hpp"

#include <mutex>
#include <string>
#include <unordered_map>

#include <sqlite3.h>

namespace um::sqlite {

// A file of the default VFS stays what it is; only its table of methods is replaced by a copy in
// which two entries ask the state first. The copies are kept for as long as the VFS.
struct FaultVfs::State {
  struct Methods {
    sqlite3_io_methods table{};
    const sqlite3_io_methods* original = nullptr;
    State* owner = nullptr;
  };

  sqlite3_vfs vfs{};
  sqlite3_vfs* original = nullptr;
  std::string name;
  std::atomic<int> write_code{0};
  std::atomic<int> sync_code{0};
  std::mutex mutex;
  std::unordered_map<const sqlite3_io_methods*, std::unique_ptr<Methods>> tables;

  const sqlite3_io_methods* wrapped(const sqlite3_io_methods* methods);
};

namespace {

const FaultVfs::State::Methods& methods_of(sqlite3_file* file) {
  // `table` is the first member: a pointer to it is a pointer to the whole.
  return *reinterpret_cast<const FaultVfs::State::Methods*>(file->pMethods);
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  const auto& methods = methods_of(file);
  const int code = methods.owner->write_code;
  return code != 0 ? code : methods.original->xWrite(file, data, size, offset);
}

int sync(sqlite3_file* file, int flags) {
  const auto& methods = methods_of(file);
  const int code = methods.owner->sync_code;
  return code != 0 ? code : methods.original->xSync(file, flags);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* state = static_cast<FaultVfs::State*>(vfs->pAppData);
  const int code = state->original->xOpen(state->original, name, file, flags, out_flags);
  constexpr int kWrapped = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL;
  if (code == SQLITE_OK && (flags & kWrapped) != 0) file->pMethods = state->wrapped(file->pMethods);
  return code;
}

}  // namespace

const sqlite3_io_methods* FaultVfs::State::wrapped(const sqlite3_io_methods* methods) {
  const std::scoped_lock lock{mutex};
  auto& copy = tables[methods];
  if (!copy) {
    copy =
        std::make_unique<Methods>(Methods{.table = *methods, .original = methods, .owner = this});
    copy->table.xWrite = &write;
    copy->table.xSync = &sync;
  }
  return &copy->table;
}

FaultVfs::FaultVfs() : state_{std::make_unique<State>()} {
  state_->original = ::sqlite3_vfs_find(nullptr);
  state_->name = "fault-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  state_->vfs = *state_->original;
  state_->vfs.zName = state_->name.c_str();
  state_->vfs.pAppData = state_.get();
  state_->vfs.xOpen = &open;
  state_->vfs.pNext = nullptr;
  ::sqlite3_vfs_register(&state_->vfs, 0);
}

FaultVfs::~FaultVfs() {
  ::sqlite3_vfs_unregister(&state_->vfs);
}

const char* FaultVfs::name() const {
  return state_->name.c_str();
}
void FaultVfs::fail_writes(int code) {
  state_->write_code = code;
}
void FaultVfs::fail_syncs(int code) {
  state_->sync_code = code;
}

}  // namespace um::sqlite
