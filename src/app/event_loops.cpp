#include "app/event_loops.hpp"

#include <pthread.h>

namespace um {

EventLoops::EventLoops(std::size_t count) {
  loops_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto loop = std::make_unique<Loop>();
    loop->thread = std::thread{[context = &loop->context] { context->run(); }};
    ::pthread_setname_np(loop->thread.native_handle(), ("loop-" + std::to_string(i)).c_str());
    loops_.push_back(std::move(loop));
  }
}

std::vector<boost::asio::io_context*> EventLoops::contexts() const {
  std::vector<boost::asio::io_context*> result;
  result.reserve(loops_.size());
  for (const auto& loop : loops_) result.push_back(&loop->context);
  return result;
}

void EventLoops::stop() {
  for (const auto& loop : loops_) {
    loop->work.reset();
    loop->context.stop();
  }
  for (const auto& loop : loops_) {
    if (loop->thread.joinable()) loop->thread.join();
  }
}

}  // namespace um
