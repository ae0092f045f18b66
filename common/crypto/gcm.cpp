#include "common/crypto/gcm.hpp"

#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

#include <openssl/err.h>
#include <openssl/evp.h>

namespace tokenrail::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }  // zeroes the key schedule
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

enum class Direction : int { decrypt = 0, encrypt = 1 };

const unsigned char* data_of(std::string_view bytes) {
  // OpenSSL refuses null pointers even where the length is 0.
  return reinterpret_cast<const unsigned char*>(bytes.empty() ? "" : bytes.data());
}

unsigned char* data_of(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

int size_of(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw std::runtime_error("a message of AES-256-GCM is too long");
  return static_cast<int>(bytes.size());
}

void need(bool done) {
  if (!done) throw std::runtime_error("OpenSSL could not run AES-256-GCM");
}

/// A context that has the key, the nonce and the additional data.
CipherContext begin(const GcmContext& given, Direction direction) {
  if (given.key.size() != gcm_key_bytes || given.nonce.size() != gcm_nonce_bytes)
    throw std::runtime_error("AES-256-GCM needs a key of 32 bytes and a nonce of 12");
  CipherContext context(EVP_CIPHER_CTX_new());
  need(context != nullptr);
  need(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, data_of(given.key), data_of(given.nonce),
                         static_cast<int>(direction)) == 1);
  int size = 0;
  need(EVP_CipherUpdate(context.get(), nullptr, &size, data_of(given.aad), size_of(given.aad)) == 1);
  return context;
}

}  // namespace

std::string gcm_encrypt(const GcmContext& context, std::string_view plain) {
  const auto cipher = begin(context, Direction::encrypt);
  std::string out(plain.size() + gcm_tag_bytes, '\0');
  int size = 0;
  need(EVP_CipherUpdate(cipher.get(), data_of(out), &size, data_of(plain), size_of(plain)) == 1);
  need(static_cast<std::size_t>(size) == plain.size());
  unsigned char* const tag = data_of(out) + plain.size();
  need(EVP_CipherFinal_ex(cipher.get(), tag, &size) == 1 && size == 0);
  need(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(gcm_tag_bytes), tag) == 1);
  return out;
}

std::optional<Secret> gcm_decrypt(const GcmContext& context, std::string_view ciphertext_and_tag) {
  if (ciphertext_and_tag.size() < gcm_tag_bytes) return std::nullopt;
  const auto ciphertext = ciphertext_and_tag.substr(0, ciphertext_and_tag.size() - gcm_tag_bytes);
  std::string tag(ciphertext_and_tag.substr(ciphertext.size()));

  const auto cipher = begin(context, Direction::decrypt);
  std::string buffer(ciphertext.size() + gcm_tag_bytes, '\0');
  int size = 0;
  const bool updated =
      EVP_CipherUpdate(cipher.get(), data_of(buffer), &size, data_of(ciphertext), size_of(ciphertext)) == 1;
  buffer.resize(ciphertext.size());
  // Takes the buffer over, and so zeroes it also where the tag does not fit.
  Secret plain(std::move(buffer));
  need(updated);
  need(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(gcm_tag_bytes), data_of(tag)) == 1);
  unsigned char rest[gcm_tag_bytes];
  if (EVP_CipherFinal_ex(cipher.get(), rest, &size) != 1) {
    ERR_clear_error();  // a TLS connection of this thread would take it for an error of its own
    return std::nullopt;
  }
  return plain;
}

}  // namespace tokenrail::crypto
