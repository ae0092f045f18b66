// The main() of a test program that contains planted changes. `./dev mutate` copies it beside the tests.
//
// With --record=FILE it runs all tests, with no change chosen, and writes a line for each: its name, milliseconds, and
// the numbers that it reached. The first lines are "impossible" and "always", with the numbers that would not compile
// alone and those that were reached before the first test.
//
// Otherwise it reads lines of standard input: a number, seconds, and a filter of tests. For each it makes a child that
// runs those tests with the change of that number, and prints the number and "survived" or "noticed". A child that
// takes longer, or more than two gigabytes of memory, has noticed. A child costs a few milliseconds where starting the
// program would cost a second.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/mutation/mutants.hpp"

namespace {

constexpr rlim_t more_memory_max = 2ULL << 30U;

void write_numbers(std::ostream& out, const unsigned char* flags) {
  for (int number = 0; number < mutants::numbers_max; ++number)
    if (flags[number] != 0) out << ' ' << number;
  out << '\n';
}

class Recorder : public testing::EmptyTestEventListener {
 public:
  explicit Recorder(const std::string& path) : out_(path) {
    out_ << "impossible 0";
    write_numbers(out_, mutants::impossible);
    out_ << "always 0";
    write_numbers(out_, mutants::reached);
  }
  void OnTestStart(const testing::TestInfo& /*test*/) override { std::ranges::fill(mutants::reached, 0); }
  void OnTestEnd(const testing::TestInfo& test) override {
    out_ << test.test_suite_name() << '.' << test.name() << ' ' << test.result()->elapsed_time();
    write_numbers(out_, mutants::reached);
  }

 private:
  std::ofstream out_;
};

void limit_memory() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const auto now = static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
  const rlimit limit{now + more_memory_max, now + more_memory_max};
  setrlimit(RLIMIT_AS, &limit);
}

[[noreturn]] void judge(int number, unsigned seconds, const std::string& filter) {
  limit_memory();
  if (std::freopen("/dev/null", "w", stdout) == nullptr || std::freopen("/dev/null", "w", stderr) == nullptr) _exit(3);
  alarm(seconds);
  mutants::chosen = number;
  GTEST_FLAG_SET(filter, filter);
  GTEST_FLAG_SET(fail_fast, true);
  _exit(RUN_ALL_TESTS() == 0 ? 0 : 1);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr std::string_view record = "--record=";
  if (argc > 1 && std::string_view(argv[1]).starts_with(record)) {
    // Googletest owns it.
    testing::UnitTest::GetInstance()->listeners().Append(new Recorder(argv[1] + record.size()));
    return RUN_ALL_TESTS();
  }
  int number = 0;
  unsigned seconds = 0;
  std::string filter;
  while (std::cin >> number >> seconds >> filter) {
    const auto child = fork();
    if (child == 0) judge(number, seconds, filter);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return 2;
    std::cout << number << (WIFEXITED(status) && WEXITSTATUS(status) == 0 ? " survived" : " noticed") << std::endl;
  }
  return 0;
}
