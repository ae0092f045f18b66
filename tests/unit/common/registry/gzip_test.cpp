#include "common/registry/gzip.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace tokenrail::registry {
namespace {

std::string gunzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string in = bytes;
  stream.next_in = reinterpret_cast<unsigned char*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  std::string out;
  std::array<unsigned char, 1000> room{};
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = room.data();
    stream.avail_out = static_cast<uInt>(room.size());
    code = inflate(&stream, Z_NO_FLUSH);
    out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream.avail_out);
  }
  EXPECT_EQ(code, Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

TEST(Gzip, GivesBackWhatWentIn) {
  std::string noise;
  for (unsigned i = 0; i < 200'000; ++i) noise += static_cast<char>((i * 2'654'435'761U) >> 24U);
  for (const auto& text : {std::string(), std::string("[]"), std::string(100'000, 'x'), noise}) {
    EXPECT_EQ(gunzip(gzip(text)), text);
    EXPECT_EQ(gzip(text), gzip(text));
  }
  EXPECT_LT(gzip(std::string(100'000, 'x')).size(), 1000U);
}

}  // namespace
}  // namespace tokenrail::registry
