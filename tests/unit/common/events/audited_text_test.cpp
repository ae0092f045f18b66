#include "common/events/audited_text.hpp"

#include <gtest/gtest.h>

namespace tokenrail::events {
namespace {

TEST(AuditedText, SaysTheSameWhateverThePieces) {
  std::string text;
  for (int i = 0; i < 3'000; ++i) text += "päper " + std::to_string(i);
  for (const auto policy : {ContentPolicy::none, ContentPolicy::truncated, ContentPolicy::full}) {
    const auto whole = audited(text, policy, 10'000);
    for (const std::size_t piece : {1U, 3U, 7U, 1'023U, 1'024U, 1'025U, 9'999U}) {
      AuditedText pieces(policy, 10'000);
      for (std::size_t at = 0; at < text.size(); at += piece) pieces.append(std::string_view(text).substr(at, piece));
      const auto content = pieces.finish();
      EXPECT_EQ(content.text, whole.text) << piece;
      EXPECT_EQ(content.sha256, whole.sha256) << piece;
      EXPECT_EQ(content.bytes, static_cast<std::int64_t>(text.size()));
      EXPECT_EQ(content.truncated, whole.truncated);
    }
  }
}

TEST(AuditedText, EmptyTextHasHashOfEmptyText) {
  const auto content = AuditedText(ContentPolicy::truncated, 100).finish();
  EXPECT_EQ(content.text, "");
  EXPECT_FALSE(content.truncated);
  EXPECT_EQ(content.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(AuditedText, FindsASecretThatComesInPieces) {
  AuditedText text(ContentPolicy::truncated, 1'000);
  text.append("the key is sk-aaaaaaaaaaaa");
  text.append("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, keep it");
  const auto content = text.finish();
  EXPECT_TRUE(content.redacted);
  EXPECT_EQ(content.text->find("aaaa"), std::string::npos);
}

}  // namespace
}  // namespace tokenrail::events
