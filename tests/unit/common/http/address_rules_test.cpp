#include "common/http/address_rules.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::http {
namespace {

using ::testing::HasSubstr;

boost::asio::ip::address address(const std::string& text) {
  return boost::asio::ip::make_address(text);
}

struct Classified {
  const char* address;
  const char* name;
};

// First and last address of each range, and their neighbours.
const std::vector<Classified> table{
    {"0.0.0.0", "unspecified"},
    {"0.255.255.255", "unspecified"},
    {"1.0.0.0", "global"},
    {"8.8.8.8", "global"},
    {"9.255.255.255", "global"},
    {"10.0.0.0", "private network"},
    {"10.255.255.255", "private network"},
    {"11.0.0.0", "global"},
    {"100.63.255.255", "global"},
    {"100.64.0.0", "carrier NAT"},
    {"100.100.100.199", "carrier NAT"},
    {"100.100.100.200", "metadata"},
    {"100.127.255.255", "carrier NAT"},
    {"100.128.0.0", "global"},
    {"126.255.255.255", "global"},
    {"127.0.0.1", "loopback"},
    {"127.255.255.255", "loopback"},
    {"128.0.0.0", "global"},
    {"168.63.129.15", "global"},
    {"168.63.129.16", "metadata"},
    {"168.63.129.17", "global"},
    {"169.253.255.255", "global"},
    {"169.254.0.0", "link-local"},
    {"169.254.169.253", "link-local"},
    {"169.254.169.254", "metadata"},
    {"169.254.169.255", "link-local"},
    {"169.254.170.2", "metadata"},
    {"169.254.170.23", "metadata"},
    {"169.254.255.255", "link-local"},
    {"169.255.0.0", "global"},
    {"172.15.255.255", "global"},
    {"172.16.0.0", "private network"},
    {"172.31.255.255", "private network"},
    {"172.32.0.0", "global"},
    {"192.0.0.0", "reserved"},
    {"192.0.0.192", "metadata"},
    {"192.0.0.255", "reserved"},
    {"192.0.1.0", "global"},
    {"192.0.2.0", "documentation"},
    {"192.0.2.255", "documentation"},
    {"192.0.3.0", "global"},
    {"192.88.99.1", "reserved"},
    {"192.167.255.255", "global"},
    {"192.168.0.0", "private network"},
    {"192.168.255.255", "private network"},
    {"192.169.0.0", "global"},
    {"198.17.255.255", "global"},
    {"198.18.0.0", "reserved"},
    {"198.19.255.255", "reserved"},
    {"198.20.0.0", "global"},
    {"198.51.100.7", "documentation"},
    {"198.51.101.0", "global"},
    {"203.0.113.255", "documentation"},
    {"203.0.114.0", "global"},
    {"223.255.255.255", "global"},
    {"224.0.0.0", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.0", "reserved"},
    {"255.255.255.254", "reserved"},
    {"255.255.255.255", "broadcast"},
    {"::", "unspecified"},
    {"::1", "loopback"},
    {"::2", "unspecified"},  // compatible with 0.0.0.2
    {"::7f00:1", "loopback"},
    {"::a9fe:a9fe", "metadata"},
    {"::ffff:127.0.0.1", "loopback"},
    {"::ffff:10.0.0.1", "private network"},
    {"::ffff:169.254.169.254", "metadata"},
    {"::ffff:8.8.8.8", "global"},
    {"::ffff:0:127.0.0.1", "loopback"},
    {"::ffff:0:8.8.8.8", "global"},
    {"64:ff9b::7f00:1", "loopback"},
    {"64:ff9b::a9fe:a9fe", "metadata"},
    {"64:ff9b::808:808", "global"},
    {"64:ff9b:0:1::808:808", "reserved"},
    {"64:ff9b:1::808:808", "private network"},
    {"2002:7f00:1::", "loopback"},
    {"2002:a00:1::1", "private network"},
    {"2002:a9fe:a9fe::", "metadata"},
    {"2002:808:808::1", "global"},
    {"2001::1", "reserved"},
    {"2001:1ff:ffff::", "reserved"},
    {"2001:200::", "global"},
    {"2001:db7:ffff::", "global"},
    {"2001:db8::", "documentation"},
    {"2001:db8:ffff:ffff::1", "documentation"},
    {"2001:db9::", "global"},
    {"2606:4700::1111", "global"},
    {"3ffe:ffff::", "global"},
    {"3fff::", "documentation"},
    {"3fff:fff::", "documentation"},
    {"3fff:1000::", "global"},
    {"1fff::", "reserved"},
    {"4000::", "reserved"},
    {"100::1", "reserved"},
    {"5f00::1", "reserved"},
    {"fbff::", "reserved"},
    {"fc00::", "private network"},
    {"fd00:ec2::253", "private network"},
    {"fd00:ec2::254", "metadata"},
    {"fd20:ce::254", "metadata"},
    {"fdff:ffff::", "private network"},
    {"fe00::", "reserved"},
    {"fe80::1", "link-local"},
    {"fe80::1%1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "private network"},
    {"ff00::", "multicast"},
    {"ff02::1", "multicast"},
};

TEST(AddressRules, EveryAddressHasItsClass) {
  for (const auto& row : table) EXPECT_EQ(name_of(classify(address(row.address))), row.name) << row.address;
}

TEST(AddressRules, OrganisationsReachGlobalAddressesOnly) {
  for (const auto& row : table)
    EXPECT_EQ(may_connect(UrlOwner::organisation, address(row.address), {}), std::string_view(row.name) == "global")
        << row.address;
}

TEST(AddressRules, PlatformReachesEverythingButMetadata) {
  for (const auto& row : table)
    EXPECT_EQ(may_connect(UrlOwner::platform, address(row.address), {}), std::string_view(row.name) != "metadata")
        << row.address;
}

std::vector<AddressRange> ranges(const std::vector<std::string>& texts) {
  const auto parsed = parse_address_ranges(texts);
  EXPECT_TRUE(parsed) << parsed.error().detail;
  return parsed.value_or(std::vector<AddressRange>{});
}

TEST(AddressRules, OperatorOpensRanges) {
  const auto allowed = ranges({"10.1.0.0/16", "192.168.7.9", "fd12:3456::/32", "127.0.0.0/8"});
  for (const auto* const open :
       {"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "192.168.7.9", "fd12:3456:1::1", "127.0.0.1", "8.8.8.8"})
    EXPECT_TRUE(may_connect(UrlOwner::organisation, address(open), allowed)) << open;
  for (const auto* const shut : {"10.0.255.255", "10.2.0.0", "192.168.7.8", "fd12:3457::1", "::1", "64:ff9b::a01:203",
                                 "2002:a01:203::", "169.254.169.254"})
    EXPECT_FALSE(may_connect(UrlOwner::organisation, address(shut), allowed)) << shut;
}

TEST(AddressRules, MetadataIsOpenedByItsAddressOnly) {
  const auto wide = ranges({"0.0.0.0/0", "::/0", "169.254.169.254/31"});
  const auto exact = ranges({"169.254.169.254", "fd00:ec2::254/128"});
  for (const auto owner : {UrlOwner::platform, UrlOwner::organisation}) {
    for (const auto* const metadata : {"169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254"}) {
      EXPECT_FALSE(may_connect(owner, address(metadata), wide)) << metadata;
      EXPECT_TRUE(may_connect(owner, address(metadata), exact)) << metadata;
    }
    EXPECT_FALSE(may_connect(owner, address("169.254.170.2"), exact));
    EXPECT_FALSE(may_connect(owner, address("64:ff9b::a9fe:a9fe"), exact));
  }
  EXPECT_TRUE(may_connect(UrlOwner::organisation, address("10.0.0.1"), wide));
}

TEST(AddressRules, RangeThatCannotBeReadIsNamed) {
  struct Row {
    const char* text;
    const char* why;
  };
  for (const auto& row : std::vector<Row>{{"", "no range"},
                                          {"localhost", "no range"},
                                          {"10.0.0", "no range"},
                                          {"10.0.0.256", "no range"},
                                          {"fe80::1%eth0", "no range"},
                                          {"10.0.0.0/", "prefix"},
                                          {"10.0.0.0/33", "prefix"},
                                          {"10.0.0.0/-1", "prefix"},
                                          {"10.0.0.0/8x", "prefix"},
                                          {"10.0.0.0/8/8", "prefix"},
                                          {"fd00::/129", "prefix"},
                                          {"10.0.0.1/8", "behind its prefix"},
                                          {"10.128.0.0/8", "behind its prefix"},
                                          {"fd00::1/64", "behind its prefix"},
                                          {"1.0.0.0/0", "behind its prefix"},
                                          {"::ffff:10.0.0.0/104", "IPv6 notation"}}) {
    const auto range = AddressRange::parse(row.text);
    ASSERT_FALSE(range) << row.text;
    EXPECT_THAT(range.error().detail, HasSubstr(row.why)) << row.text;
  }
  const std::vector<std::string> one_is_wrong{"10.0.0.0/8", "x"};
  EXPECT_FALSE(parse_address_ranges(one_is_wrong));
}

TEST(AddressRules, RuleOfTheClientDecidesAlike) {
  const auto rule = address_rule(UrlOwner::organisation, ranges({"10.0.0.0/8"}));
  EXPECT_TRUE(rule(address("10.0.0.1")));
  EXPECT_FALSE(rule(address("127.0.0.1")));
}

}  // namespace
}  // namespace tokenrail::http
