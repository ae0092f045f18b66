#include "cli/answer_reader.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

using Step = AnswerReader::Step;

events::Chunk chunk(std::int64_t attempt, std::int64_t seq, bool done = false) {
  events::Chunk c;
  c.org_id = "demo";
  c.request_id = "r1";
  c.attempt = attempt;
  c.seq = seq;
  c.done = done;
  return c;
}

struct Arrival {
  events::Chunk chunk;
  Step expected;
};

void expect_steps(const std::vector<Arrival>& arrivals, bool finished) {
  AnswerReader reader("demo", "r1");
  for (std::size_t i = 0; i < arrivals.size(); ++i)
    EXPECT_EQ(reader.apply(arrivals[i].chunk), arrivals[i].expected) << "arrival " << i;
  EXPECT_EQ(reader.finished(), finished);
}

TEST(AnswerReader, TakesOneAttemptInOrder) {
  expect_steps({{chunk(5, 0), Step::accepted}, {chunk(5, 1), Step::accepted}, {chunk(5, 2, true), Step::accepted}},
               true);
}

TEST(AnswerReader, AHigherAttemptVoidsWhatWasRead) {
  expect_steps({{chunk(5, 0), Step::accepted},
                {chunk(5, 1), Step::accepted},
                {chunk(7, 0), Step::restarted},
                {chunk(5, 2), Step::ignored},
                {chunk(7, 1, true), Step::accepted},
                {chunk(5, 3, true), Step::ignored}},
               true);
}

TEST(AnswerReader, AHigherAttemptDisplacesAlsoAFinishedOne) {
  expect_steps({{chunk(5, 0, true), Step::accepted}, {chunk(6, 0), Step::restarted}}, false);
}

TEST(AnswerReader, ADuplicatesAnswerNeverDisplacesAnother) {
  expect_steps({{chunk(5, 0), Step::accepted}, {chunk(0, 0, true), Step::ignored}, {chunk(5, 1), Step::accepted}},
               false);
  expect_steps({{chunk(0, 0, true), Step::accepted}, {chunk(5, 0), Step::restarted}}, false);
}

TEST(AnswerReader, RecordsThatComeTwiceAreTakenOnce) {
  expect_steps({{chunk(5, 0), Step::accepted},
                {chunk(5, 0), Step::ignored},
                {chunk(5, 1, true), Step::accepted},
                {chunk(5, 1, true), Step::ignored}},
               true);
}

TEST(AnswerReader, AMissingChunkIsToldAndNeverSkipped) {
  expect_steps({{chunk(5, 0), Step::accepted}, {chunk(5, 2), Step::gap}, {chunk(5, 3, true), Step::gap}}, false);
  expect_steps({{chunk(5, 1), Step::gap}, {chunk(6, 0), Step::restarted}}, false);
}

TEST(AnswerReader, OthersAnswersAreNotOurs) {
  auto other_org = chunk(5, 0);
  other_org.org_id = "another";
  auto other_request = chunk(5, 0);
  other_request.request_id = "r2";
  expect_steps({{other_org, Step::ignored}, {other_request, Step::ignored}, {chunk(5, 0), Step::accepted}}, false);
}

}  // namespace
}  // namespace tokenrail::cli
