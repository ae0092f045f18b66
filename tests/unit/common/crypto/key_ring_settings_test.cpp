#include "common/crypto/key_ring_settings.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/common/crypto/ring_fixture.hpp"

namespace tokenrail::crypto {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

config::Values values_of(const std::map<std::string, std::string>& environment) {
  auto loaded = config::load(
      {.settings = key_ring_settings(), .arguments = {}, .environment = environment, .file_text = {}, .file_name = {}});
  EXPECT_TRUE(loaded) << loaded.error().detail;
  return std::move(loaded->values);
}

std::string good() {
  return ring_json(key_json("a", "primary", key_a));
}

TEST(KeyRingSettings, WithoutThemThereIsNoRing) {
  const auto ring = load_key_ring(values_of({}));
  ASSERT_TRUE(ring);
  EXPECT_FALSE(ring->has_value());
}

TEST(KeyRingSettings, TextComesFromTheEnvironment) {
  const auto ring = load_key_ring(values_of({{"TOKENRAIL_KEYRING", good()}}));
  ASSERT_TRUE(ring && *ring);
  EXPECT_EQ((*ring)->primary_id(), "a");
}

TEST(KeyRingSettings, FileIsNamedByTheEnvironment) {
  const auto file = ::testing::TempDir() + "key-ring-settings-" + std::to_string(getpid());
  std::ofstream(file) << good();
  chmod(file.c_str(), 0600);
  const auto ring = load_key_ring(values_of({{"TOKENRAIL_KEYRING_FILE", file}}));
  std::filesystem::remove(file);
  ASSERT_TRUE(ring && *ring);
  EXPECT_EQ((*ring)->primary_id(), "a");
}

TEST(KeyRingSettings, ErrorsNameTheSetting) {
  const auto missing = load_key_ring(values_of({{"TOKENRAIL_KEYRING_FILE", "/nonexistent/ring"}}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_THAT(missing.error().detail, AllOf(HasSubstr("keyring.file"), HasSubstr("/nonexistent/ring")));
  const auto broken = load_key_ring(values_of({{"TOKENRAIL_KEYRING", good() + "jx1M"}}));
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().detail, AllOf(HasSubstr("TOKENRAIL_KEYRING"), Not(HasSubstr("jx1M"))));
}

TEST(KeyRingSettings, BothAreRefused) {
  const auto both = load_key_ring(values_of({{"TOKENRAIL_KEYRING", good()}, {"TOKENRAIL_KEYRING_FILE", "/ring"}}));
  ASSERT_FALSE(both);
  EXPECT_THAT(both.error().detail, HasSubstr("are both set"));
}

TEST(KeyRingSettings, ConfigurationPrintsNoKey) {
  const auto printed = values_of({{"TOKENRAIL_KEYRING", good()}}).print();
  EXPECT_THAT(printed, AllOf(HasSubstr("********"), Not(HasSubstr("jx1M"))));
}

}  // namespace
}  // namespace tokenrail::crypto
