// Reference pages that are written from tables in the code.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace tokenrail {

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Fails where the page at `path` is not `page`. With TOKENRAIL_TEST_UPDATE_PAGES set, writes it first.
inline void expect_current(const std::string& path, const std::string& page) {
  const std::string whole_path = std::string(TOKENRAIL_SOURCE_DIR "/") + path;
  if (std::getenv("TOKENRAIL_TEST_UPDATE_PAGES") != nullptr) std::ofstream(whole_path, std::ios::binary) << page;
  EXPECT_EQ(read_file(whole_path), page) << path
                                         << " is not what the code says. Write it again:\n  "
                                            "TOKENRAIL_TEST_UPDATE_PAGES=1 build/dev/bin/reference-pages-tests";
}

}  // namespace tokenrail
