#include "drivers/http/tls.hpp"

#include <fstream>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "drivers/http/testing/test_requests.hpp"
#include "drivers/http/testing/test_server.hpp"
#include "support/http_client.hpp"
#include "support/self_signed.hpp"
#include "support/temp_directory.hpp"

namespace um::http {
namespace {

using namespace std::chrono_literals;
using e2e::HttpConnection;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::target;
using testing::TestServer;
namespace asio = boost::asio;

// A blocking TLS client that accepts every certificate.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int newest = TLS1_3_VERSION) {
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    constexpr timeval kWait{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(stream_.next_layer().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &kWait,
                 sizeof kWait);
    SSL_set_max_proto_version(stream_.native_handle(), newest);
  }
  void offer(std::string_view protocols) {
    SSL_set_alpn_protos(stream_.native_handle(),
                        reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
  }
  bool handshake() {
    boost::system::error_code error;
    stream_.handshake(asio::ssl::stream_base::client, error);
    return !error;
  }
  std::string protocol() {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(stream_.native_handle(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  void send(std::string_view bytes) { asio::write(stream_, asio::buffer(bytes)); }
  std::string read(std::size_t bytes) {
    std::string text(bytes, ' ');
    boost::system::error_code error;
    text.resize(asio::read(stream_, asio::buffer(text), error));
    return text;
  }
  // Until the server's close_notify; "(cut)" is appended if the end came without one.
  std::string rest() {
    std::string text;
    boost::system::error_code error;
    asio::read(stream_, asio::dynamic_buffer(text), error);
    return error == asio::error::eof ? text : text + "(cut)";
  }

 private:
  asio::io_context context_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  asio::ssl::stream<asio::ip::tcp::socket> stream_{context_, tls_};
};

// A new certificate and its key as files.
class CertificateFiles {
 public:
  CertificateFiles() {
    const auto made = e2e::make_self_signed();
    directory_.write("certificate", made.certificate_pem);
    directory_.write("key", made.key_pem);
  }
  TlsFiles files() const { return {.certificate = path("certificate"), .key = path("key")}; }
  std::string path(std::string_view name) const { return directory_.file(name); }

 private:
  test::TempDirectory directory_;
};

class Tls : public ::testing::Test {
 protected:
  CertificateFiles certificate_;
  std::shared_ptr<asio::ssl::context> context_ =
      make_server_tls_context(certificate_.files()).value();
};

const std::string kClosing = "GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

TEST_F(Tls, RequestsAreAnsweredAndKnownToBeSecure) {
  TestServer server{Limits{}, context_};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client{server.port(), version};
    ASSERT_TRUE(client.handshake());
    client.send(target("/now?1") + target("/now?2") + kClosing);
    const std::string all = client.rest();
    EXPECT_THAT(all, HasSubstr("\r\nX-Secure: yes\r\n"));
    EXPECT_THAT(all, HasSubstr("/now?1HTTP/1.1 200 "));
    EXPECT_THAT(all, EndsWith("/now?"));
  }
}

TEST_F(Tls, LargeAnswersAndBodiesArrive) {
  TestServer server{Limits{}, context_};
  TlsClient client{server.port()};
  ASSERT_TRUE(client.handshake());
  const std::string body(60'000, 'b');
  client.send(testing::post_with("Content-Length: 60000\r\n", body) + target("/big") + kClosing);
  const std::string all = client.rest();
  EXPECT_THAT(all, HasSubstr(*server.handler().big));
  EXPECT_THAT(all, EndsWith("/now?"));
}

TEST_F(Tls, ARefusalEndsWithACloseNotify) {
  TestServer server{Limits{}, context_};
  TlsClient client{server.port()};
  ASSERT_TRUE(client.handshake());
  client.send("nonsense\r\n" + target("/now"));
  const std::string all = client.rest();
  EXPECT_THAT(all, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("(cut)")));
  EXPECT_EQ(server.handler().calls(), 0U);
}

TEST_F(Tls, ARequestThatDoesNotCompleteIsTimedOut) {
  // The same time limits the handshake, which may take longer on a busy machine.
  for (const auto time : {200ms, 2'000ms, 10'000ms}) {
    TestServer server{Limits{.header_time = time}, context_};
    TlsClient client{server.port()};
    if (!client.handshake()) continue;
    client.send("GET /now");
    EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 408 "));
    return;
  }
  FAIL() << "no handshake in time";
}

TEST_F(Tls, OnlyHttp11IsAgreedOn) {
  TestServer server{Limits{}, context_};
  TlsClient both{server.port()};
  both.offer("\x02h2\x08http/1.1");
  EXPECT_TRUE(both.handshake());
  EXPECT_EQ(both.protocol(), "http/1.1");
  TlsClient other{server.port()};
  other.offer("\x02h2");
  EXPECT_FALSE(other.handshake());
}

TEST_F(Tls, OldVersionsAreRefused) {
  TestServer server{Limits{}, context_};
  TlsClient client{server.port(), TLS1_1_VERSION};
  EXPECT_FALSE(client.handshake());
}

TEST_F(Tls, WhoDoesNotShakeHandsIsClosedInTime) {
  TestServer server{Limits{.header_time = 60ms}, context_};
  HttpConnection silent{{.port = server.port()}};
  EXPECT_EQ(silent.rest_text(), "");
}

TEST_F(Tls, PlainHttpIsNotAnswered) {
  TestServer server{Limits{}, context_};
  HttpConnection client{{.port = server.port()}};
  ASSERT_TRUE(client.write(target("/now")));
  EXPECT_THAT(client.rest_text(), ::testing::Not(HasSubstr("HTTP/1.1")));
  EXPECT_EQ(server.handler().calls(), 0U);
}

TEST_F(Tls, AKeyWithAPassPhraseIsRefusedInPlainWords) {
  TlsFiles files = certificate_.files();
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> in{BIO_new_file(files.key.c_str(), "r"),
                                                         &BIO_free_all};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
  ASSERT_TRUE(key);
  files.key = certificate_.path("encrypted");
  std::string pass_phrase = "open-Sesame-1";
  {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> out{BIO_new_file(files.key.c_str(), "w"),
                                                            &BIO_free_all};
    ASSERT_EQ(
        PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_256_cbc(), pass_phrase.data(),
                                      static_cast<int>(pass_phrase.size()), nullptr, nullptr),
        1);
  }
  EXPECT_EQ(make_server_tls_context(files).error().detail,
            "cannot use " + files.key + ": keys with a pass phrase are not supported");
}

TEST_F(Tls, FilesThatCannotBeUsedAreNamed) {
  TlsFiles files = certificate_.files();
  files.certificate = certificate_.path("missing");
  EXPECT_THAT(make_server_tls_context(files).error().detail, HasSubstr("missing"));
  files = certificate_.files();
  files.key = files.certificate;
  EXPECT_THAT(make_server_tls_context(files).error().detail, HasSubstr(files.key));
  files.key = certificate_.path("empty");
  std::ofstream{files.key};
  EXPECT_THAT(make_server_tls_context(files).error().detail, HasSubstr(files.key));
  const CertificateFiles another;
  files.key = another.files().key;
  EXPECT_THAT(make_server_tls_context(files).error().detail, HasSubstr(files.key));
}

}  // namespace
}  // namespace um::http
