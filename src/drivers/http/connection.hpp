// Connection: the life of one client's connection, over whatever stream carries it.
//
// A state machine with one operation at a time:
//
//   handshake -> reading
//   reading   -> writing -> reading      hits: parsed, answered and gathered
//             -> answering -> reading    a task of the handler; gathered answers are written first
//             -> writing -> ending -> discarding -> closed    the last answer
//
// The state writing is skipped if all bytes can be sent at once.
//
// The derived class (stream_connection.hpp) does the I/O and reports each operation's end exactly
// once. Callbacks of operations hold a reference; the loop's list does not. Everything runs on the
// loop's thread, so the count of references is not atomic.
#pragma once

#include <span>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/system/error_code.hpp>

#include "drivers/http/output.hpp"
#include "drivers/http/request_parser.hpp"

namespace um::http {

class Loop;

enum class Admission { serve, refuse };  // refuse: 503 and close, because there are too many

class Connection : public boost::intrusive::list_base_hook<>,
                   public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter> {
 public:
  using ErrorCode = boost::system::error_code;
  using Buffers = std::span<const boost::asio::const_buffer>;

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection();

  Admission admission() const { return admission_; }
  void start();
  // Closes the connection if a time limit has passed. Called several times within each limit.
  void sweep(BootTime now);
  // Ends an idle connection; otherwise the answer under way will be the last. A connection that was
  // used a moment ago lingers (see end()), and a request that has already arrived is answered.
  void drain();
  void close();

 protected:
  struct Peer {
    std::string address;
    bool secure = false;
  };
  Connection(std::shared_ptr<Loop> loop, Peer peer, Admission admission);

  // Each begin_… is followed by exactly one on_… with the end of the operation.
  virtual void begin_handshake() = 0;
  virtual void begin_read(std::span<char> into) = 0;
  virtual void begin_write(Buffers buffers) = 0;
  virtual void begin_end_of_sending() = 0;
  virtual void begin_discard(std::span<char> into) = 0;
  // Writes as much as the socket takes without waiting; would_block if it takes nothing.
  virtual std::size_t write_now(Buffers buffers, ErrorCode& error) = 0;
  // Has the client closed its side? A client that only stopped sending and still reads looks the
  // same until something is sent to it, so it counts as gone, too.
  virtual bool peer_is_gone() = 0;
  // Have bytes arrived that were not read yet?
  virtual bool has_unread() = 0;
  virtual void cancel() = 0;
  virtual void close_socket() = 0;

  void on_handshake(ErrorCode error);
  void on_read(ErrorCode error, std::size_t bytes);
  void on_written(ErrorCode error, std::size_t bytes);
  void on_sending_ended();
  void on_discarded(ErrorCode error, std::size_t bytes);

 private:
  enum class State { handshake, reading, writing, answering, ending, discarding, closed };
  enum class Timing { idle, header, body };  // the part that a read waits for
  enum class AfterWrite { work, start_task, end };
  enum class Next { go_on, wait };

  void work();
  Next serve();
  Next finish_answer();
  Next answer_without_body();
  void start_task();
  void abandon_task();
  void on_answered(std::exception_ptr thrown);
  void handler_threw(std::exception_ptr thrown);
  void refuse(const Refusal& refusal, BodyWish body);
  void wait_for_more();
  void set_read_deadline();
  bool body_is_too_slow(BootTime now) const;
  Next flush(AfterWrite after);
  void proceed(AfterWrite after);
  void end();
  void linger_until(BootTime deadline);
  void discard();
  BodyWish body_wish() const;

  const std::shared_ptr<Loop> loop_;
  const Admission admission_;
  const std::string peer_address_;
  State state_ = State::handshake;
  Timing timing_ = Timing::idle;
  AfterWrite after_write_ = AfterWrite::work;
  bool timed_out_ = false;
  bool draining_idle_ = false;   // the read of an idle connection is being cancelled to end it
  bool task_abandoned_ = false;  // its client is gone
  bool continued_ = false;       // 100 Continue was sent for this request
  BootTime read_at_{};
  BootTime stage_began_{};  // of `timing_` header or body
  BootTime deadline_{};
  std::size_t discarded_bytes_ = 0;

  InputBuffer input_;
  RequestParser parser_;
  ParsedRequest request_;
  Response response_;
  Output output_;
  boost::asio::cancellation_signal task_cancellation_;
};
using ConnectionPtr = boost::intrusive_ptr<Connection>;

}  // namespace um::http
