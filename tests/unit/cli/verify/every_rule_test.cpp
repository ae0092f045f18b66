// Each row, however the topics are interleaved while they are read.
#include "tests/unit/cli/verify/every_rule.hpp"

#include <gmock/gmock.h>

namespace tokenrail::verify::tests {
namespace {

using testing::HasSubstr;
using Feeding = History::Feeding;

TEST_P(EveryRule, SaysWhatWasBrokenAndNothingElse) {
  const auto& row = GetParam();
  for (const auto feeding : {Feeding::by_time, Feeding::audit_first, Feeding::chunks_first}) {
    History history;
    row.write(history);
    const auto found = history.check(true, feeding);
    EXPECT_EQ(found.promises(), row.promises) << found.texts();
    EXPECT_THAT(found.texts(), HasSubstr(row.text));
  }
}

}  // namespace
}  // namespace tokenrail::verify::tests
