// KeyReloads: reads the signing keys again for requests that need newer ones. One reload runs at a
// time, and the other requests wait for it. A client can invent a need (an unknown kid), so such
// requests cause at most one reload a second.
//
// Thread safety: any event loop.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "async/handoff.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um {

class KeyReloads {
 public:
  static constexpr std::chrono::seconds kPause{1};  // between the beginnings of two reloads
  static constexpr std::size_t kMaxWaiting = 256;   // requests; more are refused
  using Reload = std::function<Task<Result<void>>(Deadline)>;

  // `clock` outlives it.
  KeyReloads(Reload reload, const Clock& clock);

  enum class Pace { with_pauses, at_once };
  // Returns after some progress: a reload ended, or one may begin now. The caller looks at the keys
  // and calls again if need be. overloaded if it cannot wait; the errors of the reload.
  Task<Result<void>> next(Pace pace, Deadline deadline);

 private:
  class Running;
  class Queued;
  struct State {
    std::mutex mutex;
    bool running = false;
    BootTime begun = BootTime::min();
    std::vector<Handoff> waiting;
  };
  Reload reload_;
  const Clock& clock_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace um
