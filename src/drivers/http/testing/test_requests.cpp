#include "drivers/http/testing/test_requests.hpp"

namespace um::http::testing {
namespace {

using Rows = std::vector<RefusedRequest>;

void add_codings(Rows& rows) {
  for (const char* value :
       {"identity", "\"chunked\"", "chunked, gzip", "chunked,", ",chunked", "chunked, chunked", "",
        "chunked;q=1", "x", "gzip chunked", "chunked\x80",
        "\xE2\x80\x8B"
        "chunked",
        "chunked\xA0", "chunke", "chunkedd", "chunked, identity", "gzip, chunked, gzip"}) {
    rows.push_back({"odd transfer coding", 400, coding(value)});
  }
  for (const char* value : {"gzip", "deflate", "compress", "x-gzip", "gzip, chunked", "GZIP"}) {
    rows.push_back({"known transfer coding", 501, coding(value)});
  }
  rows.push_back({"chunked twice", 400,
                  post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "")});
  rows.push_back({"coding and length", 400,
                  post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "")});
  rows.push_back({"length and coding", 400,
                  post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "")});
  rows.push_back({"coding with HTTP/1.0", 400,
                  "POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"});
}

void add_lengths(Rows& rows) {
  for (const char* value : {"", "-1", "+5", "5, 5", "5 5", "0x5", "5a", "5.0", "five", "\xB5"}) {
    rows.push_back({"odd content length", 400, length(value)});
  }
  rows.push_back(
      {"length twice", 400, post_with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")});
  for (const char* value :
       {"65537", "4294967297", "18446744073709551621", "99999999999999999999999999999999"}) {
    rows.push_back({"body too large", 413, length(value)});
  }
}

void add_chunks(Rows& rows) {
  for (const char* body : {"\r\n",
                           "g\r\n",
                           " 5\r\nhello\r\n",
                           "5 \r\nhello\r\n",
                           "0x5\r\nhello\r\n",
                           "-1\r\n",
                           "+5\r\n",
                           "5\nhello\r\n",
                           "5\r\nhello\n",
                           "5\r\nhello!\r\n",
                           "5\r\nhell\r\n0\r\n\r\n",
                           "5\rhello\r\n",
                           "123456789\r\n",
                           "000000005\r\nhello\r\n",
                           "5;a\nb\r\nhello\r\n",
                           "5x\r\nhello\r\n",
                           "5;\x01\r\nhello\r\n",
                           "0\r\n\n",
                           "0\r\nbad trailer\r\n\r\n",
                           "0\r\n folded: x\r\n\r\n",
                           "0\r\nname : x\r\n\r\n",
                           "0\r\na: b\n\r\n"}) {
    rows.push_back({"odd chunk", 400, chunked(body)});
  }
  rows.push_back({"NUL in a trailer", 400, chunked(std::string{"0\r\na: \0\r\n\r\n", 11})});
  rows.push_back({"chunk too large", 413, chunked("10001\r\n")});
  rows.push_back({"chunks too large together", 413,
                  chunked(repeated("4000\r\n" + std::string(0x4000, 'x') + "\r\n", 4) + "1\r\n")});
  rows.push_back({"chunk extension too long", 400, chunked("5;" + std::string(4200, 'x'))});
  rows.push_back({"chunk extensions too long together", 400,
                  chunked(repeated("1;" + std::string(999, 'x') + "\r\na\r\n", 5))});
  rows.push_back({"trailers too long", 400, chunked("0\r\na: " + std::string(4200, 'x'))});
  rows.push_back({"trailers too long together", 400,
                  chunked("0\r\n" + repeated("a: " + std::string(1000, 'x') + "\r\n", 5))});
}

void add_hosts(Rows& rows) {
  rows.push_back({"no host", 400, "GET /x HTTP/1.1\r\n\r\n"});
  rows.push_back({"two hosts", 400, get_with("Host: a\r\n")});
  for (const char* value :
       {"",           "a b",     "a\tb",   "a,b",     "a, b",      "a,a",       "a:80,b:80",
        "a,",         ",",       "a/b",    "user@a",  "u:p@a",     "@a",        "a:b",
        "a:1:2",      "a: 80",   "a :80",  "a:65536", "a:-1",      "a:+1",      "[::1",
        "::1",        "[]",      "[::1]x", "[g::1]",  "[1:::2]",   "[1::2::3]", "[1:2:3]",
        "[::1%25lo]", "[::1],b", "a%",     "a%4",     "a\xC3\xA9", "a\"",       "<a>",
        "a?b",        "a#b",     ":80",    ":"}) {
    rows.push_back({"invalid host", 400, host(value)});
  }
}

void add_fields(Rows& rows) {
  for (const char* field : {"Authorization: b\r\n", "Content-Type: b\r\n", "If-Match: \"b\"\r\n",
                            "Expect: 100-continue\r\n", "Idempotency-Key: b\r\n"}) {
    rows.push_back({"single field twice", 400, get_with(std::string{field} + "X: y\r\n" + field)});
  }
  rows.push_back({"single field twice in another case", 400,
                  get_with("Authorization: a\r\nAUTHORIZATION: a\r\n")});
  for (const char* lines : {"A: b\r\n c\r\n", "A: b\r\n\tc\r\n", " A: b\r\n", "A : b\r\n",
                            "A\t: b\r\n", "A\r\n", ": b\r\n", "A b: c\r\n", "A: b\n", "A: b\rc\r\n",
                            "A: b\r\r\n", "A: \x01\r\n", "A: \x7F\r\n", "\xC3\xA9: b\r\n",
                            "A(b): c\r\n", "\n", "A: b\n\r\n", "Transfer-Encoding : chunked\r\n"}) {
    rows.push_back({"malformed field", 400, get_with(lines)});
  }
  rows.push_back({"NUL in a value", 400, get_with(std::string_view{"A: b\0c\r\n", 8})});
  rows.push_back({"NUL in a name", 400, get_with(std::string_view{"A\0: c\r\n", 7})});
  rows.push_back(
      {"white space before the first field", 400, "GET /x HTTP/1.1\r\n Host: a\r\n\r\n"});
  rows.push_back({"too many fields", 431, get_with(repeated("A: b\r\n", 100))});
  rows.push_back({"header too large", 431, get_with("A: " + std::string(17'000, 'x') + "\r\n")});
  rows.push_back({"header too large together", 431,
                  get_with(repeated("A: " + std::string(996, 'x') + "\r\n", 17))});
  for (const char* value : {"200-ok", "100-continue, x", "", "100"}) {
    rows.push_back({"unknown expectation", 417,
                    post_with("Expect: " + std::string{value} + "\r\nContent-Length: 5\r\n", "")});
  }
}

void add_request_lines(Rows& rows) {
  for (const char* text :
       {"x",         "*",       "http:/a/x", "http:",        "ftp://a/x",     "//",
        "/a#b",      "#",       "/%",        "/%4",          "/%zz",          "/%4g",
        "/\xC3\xA9", "/a\x7F",  "/?%",       "http://b/x",   "http://a:80/x", "http://u@a/x",
        "http:///x", "http://", "/a\tb",     "http://a,a/x", "a:80",          "http://a b/"}) {
    if (std::string_view{text} == "//") continue;  // an empty segment, which is allowed
    rows.push_back({"odd target", 400, target(text)});
  }
  for (const char* line : {"GET",
                           "GET /x",
                           "GET /x ",
                           "GET  HTTP/1.1",
                           "GET  /x HTTP/1.1",
                           "GET /x  HTTP/1.1",
                           " GET /x HTTP/1.1",
                           "GET /x HTTP/1.1 ",
                           "GET /x HTTP/1",
                           "GET /x http/1.1",
                           "GET /x HTTP/11",
                           "GET /x HTTP/1.1x",
                           "G(T /x HTTP/1.1",
                           "GET\t/x HTTP/1.1",
                           "GET /x\tHTTP/1.1",
                           "\x16\x03\x01",
                           "GET /a b HTTP/1.1",
                           "GET /x HTTP /1.1",
                           "GET /x HTTPS/1.1",
                           "\xC3\xA9 /x HTTP/1.1"}) {
    rows.push_back({"odd request line", 400, std::string{line} + "\r\nHost: a\r\n\r\n"});
  }
  rows.push_back({"bare LF", 400, "GET /x HTTP/1.1\nHost: a\n\n"});
  rows.push_back({"bare CR", 400, "GET /x HTTP/1.1\rHost: a\r\r"});
  rows.push_back({"CR CR LF", 400, "GET /x HTTP/1.1\r\r\nHost: a\r\n\r\n"});
  rows.push_back({"two empty lines", 400, "\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"});
  rows.push_back({"another version", 505, "GET /x HTTP/2.0\r\nHost: a\r\n\r\n"});
  rows.push_back({"the preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"});
  rows.push_back({"an older version", 505, "GET /x HTTP/0.9\r\n\r\n"});
  for (const char* method : {"get", "FOO", "GETT", "GE", "M-SEARCH"}) {
    rows.push_back(
        {"unknown method", 501, std::string{method} + " /x HTTP/1.1\r\nHost: a\r\n\r\n"});
  }
  rows.push_back({"TRACE", 405, "TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n"});
  rows.push_back({"CONNECT", 405, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"});
  rows.push_back({"star without OPTIONS", 400, "HEAD * HTTP/1.1\r\nHost: a\r\n\r\n"});
  rows.push_back({"request line too long", 414, "GET /" + std::string(8'000, 'x')});
  rows.push_back({"long request line, complete", 414, target("/" + std::string(8'000, 'x'))});
}

}  // namespace

std::vector<RefusedRequest> refused_requests() {
  Rows rows;
  add_codings(rows);
  add_lengths(rows);
  add_chunks(rows);
  add_hosts(rows);
  add_fields(rows);
  add_request_lines(rows);
  return rows;
}

std::vector<std::string> accepted_requests() {
  std::vector<std::string> all = {
      get_with(""),
      "\r\n" + get_with(""),
      "GET /x HTTP/1.0\r\n\r\n",
      "GET /x HTTP/1.0\r\nExpect: something\r\n\r\n",
      "PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://A/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET HTTPS://a:8080 HTTP/1.1\r\nHost: a:8080\r\n\r\n",
      get_with("Accept: a\r\nAccept: b\r\nX-Forwarded-For: a\r\nX-Forwarded-For: b\r\n"),
      get_with("A:b\r\nB:\r\nC: \t c \t\r\nD: \xC3\xA9\r\n!#$%&'*+-.^_`|~0: x\r\n"),
      get_with(repeated("A: b\r\n", 99)),
      get_with("A: " + std::string(16'000, 'x') + "\r\n"),
      post_with("Content-Length: 5\r\n", "hello"),
      post_with("Content-Length: 0000000000000000000005\r\n", "hello"),
      post_with("Content-Length: 0\r\n", ""),
      post_with("Content-Length: 65536\r\n", std::string(65'536, 'x')),
      post_with("Content-Length: 5\r\nExpect: 100-Continue\r\n", "hello"),
      post_with("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n"),
      post_with("Transfer-Encoding:\t chunked \r\n", "0\r\n\r\n"),
      chunked("5\r\nhello\r\n6;name=value\r\n world\r\n0\r\n\r\n"),
      chunked("00000005 ;a=\"b c\";d\r\nhello\r\n000;e\r\nTrailer: dropped\r\n\r\n"),
      chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
      chunked("10000\r\n" + std::string(65'536, 'x') + "\r\n0\r\n\r\n"),
      chunked("5;" + std::string(4'000, 'x') + "\r\nhello\r\n0\r\n\r\n"),
      target("/" + std::string(7'980, 'x')),
  };
  for (const char* text : {"/", "//", "/a//b/", "/%41%2f%C3%A9", "/a?b=c&d=%20+e?/", "/..;/x",
                           "/a:b@c", "/x?a[]=1|2", "/~u_-.!$&'()*+,;=", "/?", "/x??"}) {
    all.push_back(target(text));
  }
  for (const char* value :
       {"example.org", "EXAMPLE.org:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "[::ffff:1.2.3.4]",
        "a_b", "a:", "[::1]:", "a.", "xn--bcher-kva.example", "a%2Db"}) {
    all.push_back(host(value));
  }
  return all;
}

}  // namespace um::http::testing
