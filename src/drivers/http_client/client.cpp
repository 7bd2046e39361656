#include "drivers/http_client/client.hpp"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <stdexcept>
#include <unordered_map>

#include "base/printable.hpp"

namespace um::http_client {
namespace {

constexpr std::chrono::milliseconds kLongestPoll{1'000};
constexpr std::chrono::milliseconds kConnectTime{3'000};

// For set-up only: a failure there is a bug or a lack of memory.
template <class Code>
void check(Code code, const char* what) {
  if (code != Code{}) throw std::runtime_error(std::string{"libcurl: "} + what);
}

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using FieldList = std::unique_ptr<curl_slist, ListDeleter>;

void append(FieldList& list, const std::string& field) {
  curl_slist* const before = list.release();
  curl_slist* const longer = curl_slist_append(before, field.c_str());
  list.reset(longer == nullptr ? before : longer);
  if (longer == nullptr) throw std::bad_alloc{};
}

bool is_age(std::string_view line) {
  constexpr std::string_view kName = "age:";
  return line.size() >= kName.size() &&
         std::ranges::equal(line.substr(0, kName.size()), kName, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

// One call. libcurl holds pointers to it, so it does not move.
class Transfer {
 public:
  Transfer(Call call, Client::Done done, const Client::Options& options)
      : call_{std::move(call)},
        done_{std::move(done)},
        max_body_bytes_{options.max_body_bytes},
        easy_{curl_easy_init()} {
    if (!easy_) throw std::bad_alloc{};
    for (const std::string& field : call_.fields) append(fields_, field);
    if (!call_.body.empty()) append(fields_, "Content-Type: application/json");
    describe_call();
    describe_connection(options);
    receive();
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* easy() const { return easy_.get(); }

  void finish(CURLcode code) {
    long number = 0;
    curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &number);
    if (code == CURLE_OK) {
      answer_.status = static_cast<unsigned>(number);
      answer_.received = true;
    } else {
      answer_.error = too_long_           ? "the answer is too long"
                      : error_[0] != '\0' ? error_.data()
                                          : curl_easy_strerror(code);
      answer_.body.clear();
      curl_off_t connected = 0;  // microseconds until the connection was there; 0: it never was
      curl_easy_getinfo(easy(), CURLINFO_PRETRANSFER_TIME_T, &connected);
      answer_.received = connected > 0;
    }
    done_(answer_);
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    check(curl_easy_setopt(easy(), option, value), curl_easy_option_by_id(option)->name);
  }

  void describe_call() {
    set(CURLOPT_URL, call_.url.c_str());
    set(CURLOPT_CUSTOMREQUEST, call_.method.c_str());
    set(CURLOPT_HTTPHEADER, fields_.get());
    if (call_.body.empty()) return;
    set(CURLOPT_POSTFIELDS, call_.body.c_str());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(call_.body.size()));
  }
  void describe_connection(const Client::Options& options) {
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.call_time.count()));
    set(CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(std::min(options.call_time, kConnectTime).count()));
    if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
    if (call_.connection == Connection::own) {
      set(CURLOPT_FRESH_CONNECT, 1L);
      set(CURLOPT_FORBID_REUSE, 1L);
    }
  }
  void receive() {
    set(CURLOPT_WRITEFUNCTION, &Transfer::take_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Transfer::take_line);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_ERRORBUFFER, error_.data());
  }

  static std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    transfer->too_long_ = transfer->answer_.body.size() + size > transfer->max_body_bytes_;
    if (transfer->too_long_) return 0;
    transfer->answer_.body.append(bytes, size);
    return size;
  }
  static std::size_t take_line(char* bytes, std::size_t, std::size_t size, void* self) {
    if (is_age({bytes, size})) static_cast<Transfer*>(self)->answer_.has_age = true;
    return size;
  }

  Call call_;
  Client::Done done_;
  const std::size_t max_body_bytes_;
  FieldList fields_{};
  Answer answer_{};
  bool too_long_ = false;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::unique_ptr<CURL, EasyDeleter> easy_;  // the last: it ends first
};

void begin_libcurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  check(code, "cannot begin");
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(Options options) : options_{std::move(options)} {
    begin_libcurl();
    multi_ = curl_multi_init();
    if (multi_ == nullptr) throw std::bad_alloc{};
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, kConnectionsPerHost);
  }
  ~Impl() {
    for (const auto& [easy, transfer] : transfers_) curl_multi_remove_handle(multi_, easy);
    transfers_.clear();
    curl_multi_cleanup(multi_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start(Call call, Done done) {
    auto transfer = std::make_unique<Transfer>(std::move(call), std::move(done), options_);
    CURL* easy = transfer->easy();
    check(curl_multi_add_handle(multi_, easy), "cannot add a call");
    transfers_.emplace(easy, std::move(transfer));
  }

  std::size_t under_way() const { return transfers_.size(); }

  void run_until(BootTime until) {
    while (true) {
      int running = 0;
      check(curl_multi_perform(multi_, &running), "cannot go on");
      if (finish_some()) return;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - BootClock::now());
      if (left.count() <= 0) return;
      const auto wait = std::min(left, kLongestPoll);
      check(curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr),
            "cannot wait");
    }
  }

 private:
  bool finish_some() {
    bool some = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;  // the message ends with the handle
      const auto found = transfers_.find(message->easy_handle);
      const auto transfer = std::move(found->second);
      transfers_.erase(found);
      curl_multi_remove_handle(multi_, transfer->easy());
      transfer->finish(code);
      some = true;
    }
    return some;
  }

  const Options options_;
  CURLM* multi_ = nullptr;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers_;
};

Client::Client(Options options) : impl_{std::make_unique<Impl>(std::move(options))} {}
Client::~Client() = default;
void Client::start(Call call, Done done) {
  impl_->start(std::move(call), std::move(done));
}
std::size_t Client::under_way() const {
  return impl_->under_way();
}
void Client::run_until(BootTime until) {
  impl_->run_until(until);
}

namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

bool has_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  const bool is_there = curl_url_get(url, part, &text, 0) == CURLUE_OK;
  curl_free(text);
  return is_there;
}

}  // namespace

Result<std::string> parse_base_url(std::string_view text) {
  const bool is_http = text.starts_with("http://") || text.starts_with("https://");
  const std::unique_ptr<CURLU, UrlDeleter> url{curl_url()};
  const std::string copy{text};
  if (!is_http || curl_url_set(url.get(), CURLUPART_URL, copy.c_str(), 0) != CURLUE_OK ||
      text.find_first_of(" \t\r\n\"\\") != std::string_view::npos) {
    return fail(ErrorCode::invalid, "is not a URL such as http://10.0.0.1:8080");
  }
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD}) {
    if (has_part(url.get(), part))
      return fail(ErrorCode::invalid, "a URL with user information is not allowed");
  }
  for (const CURLUPart part : {CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    if (has_part(url.get(), part))
      return fail(ErrorCode::invalid, "a URL with a query or fragment is not allowed");
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string{text};
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      out.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
  }
  return out;
}

}  // namespace um::http_client
