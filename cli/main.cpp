#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cli/context.hpp"

int main(int argc, char** argv) {
  try {
    return tokenrail::cli::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\nThis is a fault of the program, not of your call.\n";
    return tokenrail::cli::exit_bad;
  }
}
