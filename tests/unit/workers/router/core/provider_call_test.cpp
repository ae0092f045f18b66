// One call of a provider: what becomes of a key that the provider quotes.
#include "workers/router/core/provider_call.hpp"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/environment.hpp"
#include "tests/support/fake_clients.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view key = "0f5b7d21c9";  // like none of the forms that are known
constexpr std::string_view url = "http://provider";

class ProviderCallTest : public ::testing::Test, private CallOwner {
 protected:
  ProviderCallTest() {
    // The call uses the second of two keys.
    std::vector<providers::EnvironmentConnection> connections;
    auto& connection = connections.emplace_back(providers::EnvironmentConnection{
        .profile = providers::find_profile("anthropic"), .name = "env-anthropic", .base_url = std::string(url)});
    connection.keys.push_back({.variable = "ANTHROPIC_API_KEY", .secret = Secret("another-key")});
    connection.keys.push_back({.variable = "ANTHROPIC_API_KEY_2", .secret = Secret(key)});
    credentials_ = providers::Credentials(std::move(connections));
    route_.deployment = {.id = "d",
                         .connection_id = "c",
                         .connection_name = "env-anthropic",
                         .provider = "anthropic",
                         .adapter = "anthropic",
                         .base_url = std::string(url),
                         .auth_type = "header",
                         .upstream_name = "claude-3-5-haiku"};
    events::ChatRequest request{.request_id = "r", .org_id = "o"};
    request.messages.push_back({.role = events::Role::user, .content = {{.text = "hi"}}});
    CallOwner& owner = *this;
    call_.emplace(http_, egress_, credentials_, route_, std::size_t{1}, owner);
    EXPECT_TRUE(call_->start(request, "", {}, {}, Now{}));
  }

  testing::FakeHttp http_{};
  providers::Credentials credentials_{};
  std::string message_{};  ///< of the failure
  std::string warning_{};

  /// Whether a call through a connection of that organisation may connect to the address.
  bool may_connect(const http::Egress& egress, std::string org_id, const char* address) {
    route_.deployment.connection_org_id = std::move(org_id);
    // A provider that needs no key: those of the environment are the platform's.
    route_.deployment.provider = route_.deployment.adapter = "ollama";
    route_.deployment.auth_type = "none";
    events::ChatRequest request{.request_id = "r", .org_id = "o"};
    request.messages.push_back({.role = events::Role::user, .content = {{.text = "hi"}}});
    CallOwner& owner = *this;
    ProviderCall call(http_, egress, credentials_, route_, std::size_t{0}, owner);
    EXPECT_TRUE(call.start(request, "", {}, {}, Now{}));
    return http_.calls.at(http_.newest()).request.address_allowed(boost::asio::ip::make_address(address));
  }

 private:
  void on_head(ProviderCall& /*call*/, const http::ResponseHead& /*head*/) override {}
  void on_answer(ProviderCall& /*call*/, providers::AnswerEvent event) override {
    if (const auto* const warning = std::get_if<providers::AnswerWarning>(&event)) warning_ = warning->text;
  }
  void on_progress(ProviderCall& /*call*/) override {}
  bool on_bytes(ProviderCall& /*call*/) override { return true; }
  void on_failed(ProviderCall& /*call*/, const providers::CallFailure& failure) override {
    message_ = failure.failure.message;
  }

  http::Egress egress_{};
  registry::RouteTarget route_{};
  std::optional<ProviderCall> call_{};
};

TEST_F(ProviderCallTest, OrganisationsConnectionsLeadToPublicAddressesOnly) {
  EXPECT_TRUE(may_connect({}, "", "127.0.0.1"));
  EXPECT_FALSE(may_connect({}, "", "169.254.169.254"));
  EXPECT_TRUE(may_connect({}, "acme", "1.1.1.1"));
  EXPECT_FALSE(may_connect({}, "acme", "127.0.0.1"));
  EXPECT_FALSE(may_connect({}, "acme", "10.0.0.1"));
  EXPECT_TRUE(may_connect(http::Egress({*http::AddressRange::parse("10.0.0.0/8")}), "acme", "10.0.0.1"));
}

TEST_F(ProviderCallTest, AKeyQuotedInARefusalIsTakenOut) {
  http_.head(1, 401);
  http_.body(1, R"({"type":"error","error":{"type":"authentication_error","message":"key 0f5b7d21c9 is wrong"}})");
  http_.end(1);
  EXPECT_THAT(message_, HasSubstr("Anthropic answered 401 \"key [redacted] is wrong\""));
}

TEST_F(ProviderCallTest, NoPartOfAKeyIsLeftWhereTheQuotationIsCut) {
  http_.head(1, 500);
  // Of this, some 500 bytes are quoted: they end within the key.
  http_.body(1, std::string(495, '-') + std::string(key) + std::string(100, '-'));
  http_.end(1);
  EXPECT_THAT(message_, HasSubstr("-----"));
  EXPECT_THAT(message_, Not(HasSubstr("0f5")));
}

TEST_F(ProviderCallTest, AKeyQuotedInAStreamIsTakenOut) {
  http_.head(1, 200);
  http_.body(1,
             "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
             "\"0f5b7d21\\u00639 again\"}}\n\n");
  EXPECT_THAT(message_, HasSubstr("[redacted] again"));
}

TEST_F(ProviderCallTest, NoPartOfAKeyIsLeftWhereAStreamErrorIsCut) {
  http_.head(1, 200);
  // Of this, some 500 bytes are quoted: they end within the key.
  http_.body(1, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"" +
                    std::string(494, '-') + std::string(key) + std::string(100, '-') + "\"}}\n\n");
  EXPECT_THAT(message_, HasSubstr("-----[redacted]…"));
  EXPECT_THAT(message_, Not(HasSubstr("0f5")));
}

TEST_F(ProviderCallTest, NoPartOfAKeyIsLeftWhereAWarningIsCut) {
  http_.head(1, 200);
  http_.body(1,
             "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{}}}\n\n"
             "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" +
                 std::string(93, '-') + std::string(key) + "---\"}}\n\n" +
                 "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
  EXPECT_THAT(warning_, HasSubstr("-----[redacted]…"));
  EXPECT_THAT(warning_, Not(HasSubstr("0f5")));
}

TEST_F(ProviderCallTest, AKeyQuotedInAWarningIsTakenOut) {
  http_.head(1, 200);
  http_.body(1,
             "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{}}}\n\n"
             "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"0f5b7d21c9\"}}\n\n"
             "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
  EXPECT_THAT(warning_, HasSubstr("unknown reason \"[redacted]\""));
}

// The answer to a call may come long after the connection got another key.
TEST_F(ProviderCallTest, AKeyThatWasReplacedMeanwhileIsTakenOut) {
  credentials_ = providers::Credentials();
  http_.head(1, 401);
  http_.body(1, R"({"type":"error","error":{"type":"authentication_error","message":"key 0f5b7d21c9 is wrong"}})");
  http_.end(1);
  EXPECT_THAT(message_, HasSubstr("key [redacted] is wrong"));
}

}  // namespace
}  // namespace tokenrail::router
