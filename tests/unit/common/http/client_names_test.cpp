// How the client gets from a host's name to a connection, and what a name server that does not answer may hold up.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include "common/http/client.hpp"
#include "common/http/egress.hpp"
#include "tests/unit/common/http/name_server.hpp"
#include "tests/unit/common/http/scripted_server.hpp"

namespace {

// libcurl's look-ups end up here, since the program comes before its libraries. Counted and refused.
std::atomic<int> getaddrinfo_calls = 0;

}  // namespace

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name,cert-dcl37-c)
extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
  ++getaddrinfo_calls;
  return EAI_FAIL;
}

namespace tokenrail::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::chrono::seconds patience{120};
const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Recorder final : Listener {
  void on_head(const ResponseHead&) override {}
  bool on_body(std::string_view bytes) override {
    body += bytes;
    return true;
  }
  void on_end(const End& with) override { end = with; }

  std::string body{};
  std::optional<End> end{};
};

class ClientNamesTest : public ::testing::Test {
 protected:
  ~ClientNamesTest() override { EXPECT_EQ(getaddrinfo_calls, 0) << "libcurl looked a name up itself"; }

  void run_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + patience;
    loop_.restart();
    while (!done()) {
      if (loop_.run_one_until(until) == 0) break;
    }
    ASSERT_TRUE(done());
  }

  void make(ClientOptions options = {}) {
    options.names = names_.options();
    options.names.first_try = first_try;
    client_ = make_client(loop_, options, metrics_);
  }

  std::string url(const std::string& host) const {
    return "http://" + host + ":" + std::to_string(server_.port()) + "/";
  }

  TransferId get(const std::string& at, Recorder& recorder, Clocks clocks = {}) {
    return client_->start({.url = at}, clocks, {}, recorder);
  }

  /// Answers the request on that connection and waits for the end.
  void finish(Recorder& recorder, std::size_t index = 0) {
    run_until([&] { return server_.connections.size() > index && server_.connections[index]->has_request(); });
    server_.connections[index]->send(answer);
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_EQ(recorder.end->ending, Ending::complete) << recorder.end->detail;
    EXPECT_EQ(recorder.body, "ok");
  }

  milliseconds first_try{60'000};  // silence lasts as long as the test
  boost::asio::io_context loop_;
  telemetry::Metrics metrics_;
  ScriptedServer server_{loop_};
  NameServer names_{loop_};
  std::unique_ptr<Client> client_{};
};

TEST_F(ClientNamesTest, ConnectsToTheAddressOfTheName) {
  make();
  names_.names["api.example"] = {"127.0.0.1"};
  Recorder recorder;
  get(url("api.example"), recorder);
  finish(recorder);
  EXPECT_THAT(server_.connections[0]->received, HasSubstr("Host: api.example:"));
}

TEST_F(ClientNamesTest, KeptConnectionsAndAnswersServeTheNextTransfer) {
  make();
  names_.names["api.example"] = {"127.0.0.1"};
  Recorder first;
  get(url("api.example"), first);
  finish(first);
  const auto asked = names_.questions.size();
  server_.connections[0]->received.clear();
  Recorder second;
  get(url("API.example"), second);
  finish(second);
  EXPECT_THAT(server_.connections, SizeIs(1));
  EXPECT_EQ(names_.questions.size(), asked);
}

TEST_F(ClientNamesTest, TriesNextAddressAfterARefusal) {
  make();
  names_.names["api.example"] = {"127.0.0.2", "127.0.0.1", "::1"};
  Recorder recorder;
  get(url("api.example"), recorder);
  finish(recorder);
}

TEST_F(ClientNamesTest, LocalhostAndAddressesNeedNoNameServer) {
  names_.silent = true;
  make();
  std::size_t index = 0;
  for (const auto* host : {"localhost", "127.0.0.1", "127.1", "user:secret@localhost"}) {
    Recorder recorder;
    server_.connections.clear();
    get(url(host), recorder);
    finish(recorder, index);
    client_.reset();
    make();
  }
  EXPECT_THAT(names_.questions, IsEmpty());
}

TEST_F(ClientNamesTest, ReportsUnknownName) {
  make();
  Recorder recorder;
  get(url("nowhere.example"), recorder);
  EXPECT_FALSE(recorder.end) << "never from inside start()";
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::connect_failed);
  EXPECT_EQ(recorder.end->detail, "Could not resolve host: nowhere.example (there is no such host)");
  // Known by now, and still not reported from inside start().
  Recorder again;
  get(url("nowhere.example"), again);
  EXPECT_FALSE(again.end);
  run_until([&] { return again.end.has_value(); });
  EXPECT_EQ(again.end->detail, recorder.end->detail);
}

TEST_F(ClientNamesTest, SilentNameServerDelaysNoOtherName) {
  names_.silent_about.insert("stuck.example");
  names_.names["api.example"] = {"127.0.0.1"};
  make();
  std::vector<std::unique_ptr<Recorder>> stuck;
  std::vector<TransferId> ids;
  for (int i = 0; i < 50; ++i) {
    stuck.push_back(std::make_unique<Recorder>());
    ids.push_back(get(url("stuck.example"), *stuck.back()));
  }
  Recorder recorder;
  get(url("api.example"), recorder);
  finish(recorder);
  for (const auto& one : stuck) EXPECT_FALSE(one->end);
  EXPECT_EQ(client_->transfers(), 50U);
  // Cancelled at once, whatever the name server does: nothing of them is left.
  for (const auto id : ids) client_->cancel(id);
  EXPECT_EQ(client_->transfers(), 0U);
  for (const auto& one : stuck) EXPECT_FALSE(one->end);
}

TEST_F(ClientNamesTest, TheLookUpCountsIntoTheConnectTimeout) {
  names_.silent = true;
  make();
  Recorder recorder;
  get(url("stuck.example"), recorder, {.connect = milliseconds(50)});
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::connect_timeout);
  EXPECT_THAT(recorder.end->detail, HasSubstr("stuck.example"));
  EXPECT_EQ(client_->transfers(), 0U);
}

TEST_F(ClientNamesTest, TheLookUpCountsIntoTheTotalTimeout) {
  names_.silent = true;
  make();
  for (const milliseconds connect : {milliseconds(0), milliseconds(60'000)}) {
    Recorder recorder;
    get(url("stuck.example"), recorder, {.connect = connect, .total = milliseconds(50)});
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_EQ(recorder.end->ending, Ending::total_timeout);
  }
}

TEST_F(ClientNamesTest, MayBeDestroyedDuringALookUp) {
  names_.silent = true;
  make();
  Recorder recorder;
  get(url("stuck.example"), recorder);
  run_until([&] { return !names_.questions.empty(); });
  client_.reset();
  EXPECT_FALSE(recorder.end);
}

TEST_F(ClientNamesTest, ConnectsToNoForbiddenAddress) {
  make({.address_allowed = [](const auto& address) { return !address.is_loopback(); }});
  names_.names["inside.example"] = {"127.0.0.1", "::1"};
  for (const std::string host : {"inside.example", "localhost", "127.0.0.1", "127.1", "[::1]"}) {
    Recorder recorder;
    get(url(host), recorder);
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_EQ(recorder.end->ending, Ending::connect_failed) << host;
    EXPECT_THAT(recorder.end->detail, HasSubstr("the address of the host is not allowed")) << host;
    EXPECT_TRUE(recorder.end->address_refused) << host;
    EXPECT_EQ(recorder.end->step, Step::connection) << host;
  }
  EXPECT_THAT(server_.connections, IsEmpty());
}

// Every notation that leads to an address inside, by the rule that base URLs of organisations are under.
TEST_F(ClientNamesTest, BaseUrlsOfOrganisationsDoNotLeadInside) {
  make();
  names_.names["inside.example"] = {"127.0.0.1"};
  names_.names["metadata.example"] = {"169.254.169.254"};
  names_.names["mapped.example"] = {"::ffff:169.254.169.254"};
  const Egress egress;
  for (const std::string host :
       {"169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "2852039166", "0xa9fea9fe", "0.0.0.0", "0",
        "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::]", "10.0.0.1", "inside.example",
        "metadata.example", "mapped.example"}) {
    Recorder recorder;
    client_->start({.url = url(host), .address_allowed = egress.rule_for("acme")}, {}, {}, recorder);
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_TRUE(recorder.end->address_refused) << host << ": " << recorder.end->detail;
  }
  EXPECT_THAT(server_.connections, IsEmpty());
}

TEST_F(ClientNamesTest, RangesOfTheOperatorOpenAddressesForOrganisations) {
  make();
  const Egress egress({*AddressRange::parse("127.0.0.0/8")});
  Recorder recorder;
  client_->start({.url = url("2130706433"), .address_allowed = egress.rule_for("acme")}, {}, {}, recorder);
  finish(recorder);
  Recorder refused;
  client_->start({.url = url("[::1]"), .address_allowed = egress.rule_for("acme")}, {}, {}, refused);
  run_until([&] { return refused.end.has_value(); });
  EXPECT_TRUE(refused.end->address_refused);
}

TEST_F(ClientNamesTest, EndNamesTheStep) {
  make();
  names_.names["api.example"] = {"127.0.0.1"};
  Recorder unknown;
  get(url("missing.example"), unknown);
  run_until([&] { return unknown.end.has_value(); });
  EXPECT_EQ(unknown.end->step, Step::name);
  EXPECT_FALSE(unknown.end->times.name);
  EXPECT_FALSE(unknown.end->address_refused);

  Recorder no_tls;
  get("https://api.example:" + std::to_string(server_.port()), no_tls);
  run_until([&] { return !server_.connections.empty() && !server_.connections[0]->received.empty(); });
  server_.connections[0]->send(answer);
  run_until([&] { return no_tls.end.has_value(); });
  EXPECT_EQ(no_tls.end->ending, Ending::connect_failed);
  EXPECT_EQ(no_tls.end->step, Step::tls) << no_tls.end->detail;
  EXPECT_TRUE(no_tls.end->times.name);
  EXPECT_FALSE(no_tls.end->times.tls);

  Recorder whole;
  get(url("api.example"), whole);
  finish(whole, 1);
  EXPECT_EQ(whole.end->step, Step::exchange);
  EXPECT_TRUE(whole.end->times.connection);

  // On the connection that was kept.
  Recorder kept;
  server_.connections[1]->received.clear();
  get(url("api.example"), kept);
  finish(kept, 1);
  EXPECT_FALSE(kept.end->times.connection);

  const auto port = std::to_string(server_.port());
  server_.stop_listening();
  Recorder refused;
  get("http://127.0.0.3:" + port, refused);
  run_until([&] { return refused.end.has_value(); });
  EXPECT_EQ(refused.end->step, Step::connection);
  EXPECT_FALSE(refused.end->address_refused);
  EXPECT_FALSE(refused.end->times.connection);
}

TEST_F(ClientNamesTest, AllowedAddressesOfAMixedNameAreUsed) {
  make({.address_allowed = [](const auto& address) { return address.to_string() == "127.0.0.1"; }});
  names_.names["api.example"] = {"127.0.0.2", "127.0.0.1"};
  Recorder recorder;
  get(url("api.example"), recorder);
  finish(recorder);
}

TEST_F(ClientNamesTest, RuleOfARequestCountsBesideTheClients) {
  make({.address_allowed = [](const auto& address) { return address.to_string() != "127.0.0.2"; }});
  names_.names["inside.example"] = {"127.0.0.1"};
  names_.names["both.example"] = {"127.0.0.2", "127.0.0.1"};
  const AddressRule no_loopback = [](const auto& address) { return !address.is_loopback(); };
  for (const std::string host : {"inside.example", "both.example", "localhost", "127.0.0.1", "127.1"}) {
    Recorder recorder;
    client_->start({.url = url(host), .address_allowed = no_loopback}, {}, {}, recorder);
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_EQ(recorder.end->ending, Ending::connect_failed) << host;
    EXPECT_THAT(recorder.end->detail, HasSubstr("the address of the host is not allowed")) << host;
  }
  EXPECT_THAT(server_.connections, IsEmpty());
  Recorder recorder;
  client_->start({.url = url("both.example"), .address_allowed = [](const auto&) { return true; }}, {}, {}, recorder);
  finish(recorder);
}

TEST_F(ClientNamesTest, RequestsRuleCoversKeptConnection) {
  make();
  names_.names["api.example"] = {"127.0.0.1"};
  for (const std::string host : {"127.0.0.1", "api.example"}) {
    const auto connections = server_.connections.size();
    Recorder first;
    get(url(host), first);
    finish(first, connections);
    const auto received = server_.connections.at(connections)->received.size();

    Recorder refused;
    client_->start({.url = url(host), .address_allowed = [](const auto& address) { return !address.is_loopback(); }},
                   {}, {}, refused);
    run_until([&] { return refused.end.has_value(); });
    EXPECT_EQ(refused.end->ending, Ending::connect_failed) << host;
    EXPECT_THAT(refused.end->detail, HasSubstr("not allowed")) << host;
    EXPECT_EQ(server_.connections.size(), connections + 1) << host;
    EXPECT_EQ(server_.connections.at(connections)->received.size(), received) << "nothing of it was sent: " << host;
  }
}

// A name whose address has changed since the kept connection was opened.
TEST_F(ClientNamesTest, RequestsRuleGetsAddressOfKeptConnection) {
  make();
  names_.names["moves.example"] = {"127.0.0.1"};
  Recorder first;
  get(url("moves.example"), first);
  finish(first);
  std::vector<std::string> asked;
  Recorder again;
  client_->start({.url = url("moves.example"),
                  .address_allowed =
                      [&](const auto& address) {
                        asked.push_back(address.to_string());
                        return asked.size() < 2;  // the name's answer may be connected to, the open connection may not
                      }},
                 {}, {}, again);
  run_until([&] { return again.end.has_value(); });
  EXPECT_EQ(again.end->ending, Ending::connect_failed);
  EXPECT_THAT(asked, testing::ElementsAre("127.0.0.1", "127.0.0.1"));
}

TEST_F(ClientNamesTest, TransfersAreBounded) {
  make({.connections_max = 2});
  std::array<Recorder, 3> recorders;
  const auto first = get(url("127.0.0.1"), recorders[0]);
  get(url("127.0.0.1"), recorders[1]);
  get(url("127.0.0.1"), recorders[2]);
  run_until([&] { return recorders[2].end.has_value(); });
  EXPECT_EQ(recorders[2].end->ending, Ending::connect_failed);
  EXPECT_EQ(recorders[2].end->detail, "2 HTTP exchanges run already, as many as may");
  run_until([&] { return server_.connections.size() == 2; });
  client_->cancel(first);
  Recorder next;
  get(url("127.0.0.1"), next);
  finish(next, 2);
  EXPECT_FALSE(recorders[1].end);
}

TEST_F(ClientNamesTest, KeptConnectionMakesRoomForNewOne) {
  make({.connections_max = 1});
  Recorder first;
  get(url("127.0.0.1"), first);
  finish(first);
  ScriptedServer other(loop_);
  Recorder second;
  get(other.url(), second, {.connect = milliseconds(20'000)});
  run_until([&] { return !other.connections.empty() && other.connections[0]->has_request(); });
  other.connections[0]->send(answer);
  run_until([&] { return second.end.has_value(); });
  EXPECT_EQ(second.end->ending, Ending::complete);
}

}  // namespace
}  // namespace tokenrail::http
