#include "drivers/pg/blocking_resolver.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace um::pg {

namespace {
constexpr std::chrono::milliseconds kStep{10};  // how soon giving up is noticed
}

struct BlockingResolver::Loop {
  boost::asio::io_context context{1};
  boost::asio::ip::tcp::resolver resolver{context};
};

BlockingResolver::BlockingResolver(const Clock& clock)
    : clock_{clock}, loop_{std::make_unique<Loop>()} {}
BlockingResolver::~BlockingResolver() = default;

std::vector<std::string> BlockingResolver::resolve(const std::string& name, Deadline deadline,
                                                   const std::function<bool()>& give_up) {
  struct Question {
    bool answered = false;
    std::vector<std::string> addresses;
  };
  const auto question = std::make_shared<Question>();  // outlives this call if it is given up
  loop_->resolver.async_resolve(
      name, "", [question](const boost::system::error_code& error, const auto& found) {
        question->answered = true;
        if (error) return;
        for (const auto& entry : found)
          question->addresses.push_back(entry.endpoint().address().to_string());
      });
  while (!question->answered && !deadline.passed(clock_.now()) && !give_up()) {
    loop_->context.restart();
    loop_->context.run_one_for(kStep);
  }
  if (!question->answered) loop_->resolver.cancel();
  return question->addresses;
}

}  // namespace um::pg
