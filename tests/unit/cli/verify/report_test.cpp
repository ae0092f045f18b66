#include "cli/verify/report.hpp"

#include <gtest/gtest.h>

namespace tokenrail::verify {
namespace {

TEST(Report, AViolationNamesPromiseAndPlace) {
  const Violation violation{.promise = Promise::once,
                            .text = "request \"r\" runs again",
                            .topic = "llm.audit",
                            .partition = 3,
                            .offsets = {4, 17}};
  EXPECT_EQ(violation_line(violation), "P3 llm.audit 3:4,17  request \"r\" runs again");
  EXPECT_EQ(
      violation_json(violation),
      R"({"violation":"P3","topic":"llm.audit","partition":3,"offsets":[4,17],"text":"request \"r\" runs again"})");
}

TEST(Report, EveryPromiseHasAName) {
  const std::pair<Promise, const char*> names[] = {
      {Promise::answered, "P1"},   {Promise::whole, "P2"},          {Promise::once, "P3"},
      {Promise::audited, "P4"},    {Promise::committed, "P5"},      {Promise::order, "ORDER"},
      {Promise::dedupe, "DEDUPE"}, {Promise::deadline, "DEADLINE"}, {Promise::ownership, "OWNERSHIP"}};
  for (const auto& [promise, name] : names) EXPECT_EQ(name_of(promise), name);
}

TEST(Report, LeavesOutEmptyFigures) {
  Figures figures;
  figures.requests = 12;
  figures.attempts = 13;
  figures.reruns = 1;
  figures.claims = 2;
  figures.void_events = 3;
  figures.interrupted = {{"lost", 1}};
  figures.takeover_ms = {40, 10, 30, 20};
  EXPECT_EQ(figures_text(figures),
            "requests                              12\n"
            "attempts                              13\n"
            "re-runs                               1\n"
            "claims                                2\n"
            "void events                           3\n"
            "interrupted (lost)                    1\n"
            "claim to first dispatch after a loss  p50 20 ms, at most 40 ms\n");
  EXPECT_EQ(
      figures_json(figures),
      R"({"figures":{"requests":12,"deadLetters":0,"attempts":13,"reruns":1,"recovered":0,"duplicates":0,)"
      R"("duplicatesRun":0,"claims":2,"claimsVoid":0,"releases":0,"ownersLost":0,"voidEvents":3,)"
      R"("lateResponses":0,"earlyClosings":0,"openRequests":0,"openAttempts":0,"lost":0,"unknown":0,"displaced":0,)"
      R"("requestIdsShared":0,)"
      R"("unreadable":0,"senderTimes":0,"chunks":0,"auditEvents":0,"auditTailMax":0,"interrupted":{"lost":1},)"
      R"("takeoverMs":{"count":4,"p50":20,"max":40}}})");
}

}  // namespace
}  // namespace tokenrail::verify
