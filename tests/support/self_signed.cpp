#include "support/self_signed.hpp"

#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace um::e2e {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&::X509_free)>;
using Memory = std::unique_ptr<BIO, decltype(&::BIO_free)>;

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string{"OpenSSL: "} + what);
}

template <class Write>
std::string pem(Write write) {
  const Memory memory{::BIO_new(::BIO_s_mem()), &::BIO_free};
  must(write(memory.get()) == 1, "writing PEM");
  char buffer[8192];
  const int size = ::BIO_read(memory.get(), buffer, sizeof buffer);
  must(size > 0, "reading PEM");
  return {buffer, static_cast<std::size_t>(size)};
}

}  // namespace

SelfSigned make_self_signed() {
  constexpr long kDay = 24L * 60 * 60;
  const Key key{::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), &::EVP_PKEY_free};
  must(key != nullptr, "making a key");
  const Certificate certificate{::X509_new(), &::X509_free};
  X509* const x509 = certificate.get();
  ::X509_set_version(x509, 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(x509), 1);
  ::X509_gmtime_adj(::X509_getm_notBefore(x509), -kDay);
  ::X509_gmtime_adj(::X509_getm_notAfter(x509), kDay);
  ::X509_set_pubkey(x509, key.get());
  const std::string name = "localhost";
  X509_NAME* const subject = ::X509_get_subject_name(x509);
  ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.data()), -1, -1, 0);
  ::X509_set_issuer_name(x509, subject);
  must(::X509_sign(x509, key.get(), ::EVP_sha256()) > 0, "signing the certificate");
  return {.certificate_pem = pem([&](BIO* out) { return ::PEM_write_bio_X509(out, x509); }),
          .key_pem = pem([&](BIO* out) {
            return ::PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr,
                                              nullptr);
          })};
}

}  // namespace um::e2e
