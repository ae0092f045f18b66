#include "common/crypto/weak_keys.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"
#include "tests/unit/common/crypto/ring_fixture.hpp"

namespace tokenrail::crypto {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string counting(int first, int step) {
  std::string key;
  for (int i = 0; i < 32; ++i) key += static_cast<char>(static_cast<unsigned char>(first + i * step));
  return key;
}

std::string padded(std::string text) {
  text.resize(32, '\0');
  return text;
}

std::string repeated(const std::string& text) {
  std::string key;
  while (key.size() < 32) key += text;
  key.resize(32);
  return key;
}

TEST(WeakKeys, AreNamed) {
  struct Row {
    std::string key;
    std::string reason;
  };
  const std::vector<Row> table{
      {std::string(32, '\0'), "equal"},
      {std::string(32, '\xff'), "equal"},
      {std::string(32, 'x'), "equal"},
      {counting(0, 1), "counting sequence"},
      {counting(1, 1), "counting sequence"},
      {counting(255, -1), "counting sequence"},
      {counting(7, 3), "counting sequence"},
      {repeated("\xde\xad\xbe\xef"), "pattern that repeats"},
      {repeated("0123456789abcdef"), "pattern that repeats"},
      {repeated("changeme"), "pattern that repeats"},
      {repeated("\xfe\xff\xe9\x92\x86\x65\x73\x1c\x6d\x6a\x8f\x94\x67\x30\x83\x08"), "pattern that repeats"},
      {"0123456789abcdefghijklmnopqrstuv", "printable text"},
      {"changeme-changeme-please-I-mean!", "printable text"},
      {"correct horse battery staple 123", "printable text"},
      {"~!@#$%^&*()_+ ten keys of a row~", "printable text"},
      {"8f1d4c02b7e93a5566c8d07e21fa9b34", "printable text"},  // 16 bytes as hexadecimal digits
      {padded("correct horse battery"), "printable text"},
      {padded("changeme"), "printable text"},
      {counting(0, 1).substr(0, 15) + std::string(17, '\1'), "too few different bytes"},
      {random_public_bytes(24) + std::string(8, '\0'), "zeros"},
      {std::string(8, '\0') + random_public_bytes(24), "zeros"},
      {from_base64("YD3rEBXKcb4rc67whX13gR81LAc7YQjXLZgQowkU3/Q=").value(), "public documentation"},
      {sha256("changeme"), "SHA-256 of a well-known word"},
      {sha256(""), "SHA-256 of a well-known word"},
  };
  for (const auto& [key, reason] : table) {
    ASSERT_EQ(key.size(), 32U) << reason;
    const auto weakness = weakness_of(key);
    ASSERT_TRUE(weakness) << to_hex(key);
    EXPECT_THAT(std::string(*weakness), HasSubstr(reason)) << to_hex(key);
    const auto ring = KeyRing::parse(ring_json(key_json("weak", "primary", to_base64(key))));
    ASSERT_FALSE(ring) << to_hex(key);
    EXPECT_THAT(ring.error().detail, AllOf(HasSubstr("key 'weak'"), HasSubstr("tokenrail keys create")));
  }
}

TEST(WeakKeys, RandomKeysAreFit) {
  for (int i = 0; i < 20'000; ++i) {
    const auto key = random_bytes(32);
    EXPECT_EQ(weakness_of(key.reveal()), std::nullopt) << to_hex(key.reveal());
  }
}

TEST(WeakKeys, PatternWithOneOtherByteIsWeak) {
  auto key = repeated("\xde\xad\xbe\xef");
  key[17] = 'x';
  EXPECT_TRUE(weakness_of(key));
}

// What a reader copies from our pages must not protect anything.
TEST(WeakKeys, KeysInOurDocumentationAreRefused) {
  const std::regex base64_key(R"([A-Za-z0-9+/]{43}=)");
  std::size_t found = 0;
  const auto look_at = [&](const std::filesystem::path& path) {
    std::ifstream file(path);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    for (std::sregex_iterator it(text.begin(), text.end(), base64_key), end; it != end; ++it) {
      ++found;
      const auto key = from_base64(it->str());
      if (key && key->size() == 32) EXPECT_TRUE(weakness_of(*key)) << path << ": " << it->str();
    }
  };
  const std::filesystem::path root(TOKENRAIL_SOURCE_DIR);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs"))
    if (entry.path().extension() == ".md") look_at(entry.path());
  look_at(root / "README.md");
  look_at(root / "compose.yaml");
  EXPECT_GE(found, 1U) << "docs/explanation/credentials.md has an example";
}

}  // namespace
}  // namespace tokenrail::crypto
