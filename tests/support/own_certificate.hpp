// Certificates that a test makes for its own servers.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace tokenrail {

/// A key and a certificate that it signed itself, for that name ("IP:127.0.0.1", "DNS:localhost").
struct OwnCertificate {
  std::string key{};
  std::string certificate{};

  /// `days`: until it expires; negative: it has.
  explicit OwnCertificate(const std::string& name, int days = 1) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), &X509_free);
    X509_set_version(x509.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    constexpr long day = 24L * 3600;
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -30 * day);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), days * day);
    X509_set_pubkey(x509.get(), pair.get());
    auto* const subject = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509.get(), subject);
    const auto extend = [&](int nid, const std::string& value) {
      auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
      X509_add_ext(x509.get(), extension, -1);
      X509_EXTENSION_free(extension);
    };
    extend(NID_basic_constraints, "critical,CA:TRUE");
    extend(NID_subject_alt_name, name);
    if (X509_sign(x509.get(), pair.get(), EVP_sha256()) == 0) throw std::runtime_error("the certificate is not signed");
    key = pem([&](BIO* to) { PEM_write_bio_PrivateKey(to, pair.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    certificate = pem([&](BIO* to) { PEM_write_bio_X509(to, x509.get()); });
  }

 private:
  template <class Write>
  static std::string pem(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
    write(memory.get());
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }
};

}  // namespace tokenrail
