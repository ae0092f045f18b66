#include "common/crypto/credential_binding.hpp"

#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/common/crypto/ring_fixture.hpp"

namespace tokenrail::crypto {
namespace {

CredentialPlace a_place() {
  return {.id = "018f2c1e-7d3a-7c44-9d1b-2b6f0f5f9a10",
          .org_id = "acme",
          .owner_user_id = "user-7",
          .provider = "openai",
          .secret_version = 3};
}

// Stored rows depend on these names.
TEST(CredentialBinding, HasTheNamesOfTheTable) {
  const auto binding = binding_of(a_place());
  EXPECT_EQ(binding.table, "credential");
  EXPECT_EQ(binding.field, "secret");
  EXPECT_EQ(binding.row_id, a_place().id);
  EXPECT_EQ(binding.org_id, "acme");
  EXPECT_EQ(binding.owner_user_id, "user-7");
  EXPECT_EQ(binding.provider, "openai");
  EXPECT_EQ(binding.version, 3);
}

TEST(CredentialBinding, EveryFieldOfTheRowCounts) {
  const auto ring = one_key();
  const auto sealed = seal(ring, Secret(canary), binding_of(a_place())).value();
  ASSERT_TRUE(open(ring, sealed, binding_of(a_place())));
  const std::vector<std::function<void(CredentialPlace&)>> changes{
      [](CredentialPlace& p) { p.id.back() = '1'; },       [](CredentialPlace& p) { p.org_id.clear(); },
      [](CredentialPlace& p) { p.owner_user_id.clear(); }, [](CredentialPlace& p) { p.provider = "azure"; },
      [](CredentialPlace& p) { p.secret_version = 4; },
  };
  for (const auto& change : changes) {
    auto other = a_place();
    change(other);
    EXPECT_FALSE(open(ring, sealed, binding_of(other)));
  }
}

TEST(CredentialBinding, NoOwnerIsAnAbsentOwner) {
  auto place = a_place();
  place.owner_user_id.clear();
  EXPECT_EQ(binding_of(place).owner_user_id, std::nullopt);
}

}  // namespace
}  // namespace tokenrail::crypto
