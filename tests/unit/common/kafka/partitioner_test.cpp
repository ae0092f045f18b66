#include "common/kafka/partitioner.hpp"

#include <gtest/gtest.h>

namespace tokenrail::kafka {
namespace {

// Values of org.apache.kafka.common.utils.Utils.murmur2, sign bit cleared as the default partitioner does.
TEST(Murmur2, GivesWhatTheJavaClientsGive) {
  EXPECT_EQ(murmur2_positive("21"), static_cast<std::uint32_t>(-973932308) & 0x7fffffffU);
  EXPECT_EQ(murmur2_positive("foobar"), static_cast<std::uint32_t>(-790332482) & 0x7fffffffU);
  EXPECT_EQ(murmur2_positive("a-little-bit-long-string"), static_cast<std::uint32_t>(-985981536) & 0x7fffffffU);
  EXPECT_EQ(murmur2_positive("a-little-bit-longer-string"), static_cast<std::uint32_t>(-1486304829) & 0x7fffffffU);
  EXPECT_EQ(murmur2_positive("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"),
            static_cast<std::uint32_t>(-58897971) & 0x7fffffffU);
  EXPECT_EQ(murmur2_positive("abc"), static_cast<std::uint32_t>(479470107));
  EXPECT_LT(partition_of("any", 7), 7);
}

}  // namespace
}  // namespace tokenrail::kafka
