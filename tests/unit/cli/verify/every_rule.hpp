// Rules of the checker as rows: a history, and which promises it breaks. Each test file instantiates the rows of its
// theme.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/cli/verify/history.hpp"

namespace tokenrail::verify::tests {

struct Row {
  std::string name;
  void (*write)(History&);
  std::string promises{};  ///< broken, in any order of the topics; empty: none
  std::string text{};      ///< part of what is said
};

class EveryRule : public testing::TestWithParam<Row> {};

inline std::string name_of_row(const testing::TestParamInfo<Row>& info) {
  return info.param.name;
}

}  // namespace tokenrail::verify::tests
