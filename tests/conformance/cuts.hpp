// Whether a decoder gives the same answer wherever its bytes are cut.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/providers/answer.hpp"

namespace tokenrail::conformance {

using MakeDecoder = std::function<std::unique_ptr<providers::AnswerDecoder>()>;

/// Decodes a whole body that is delivered in these pieces.
void decode(const MakeDecoder& make, const std::vector<std::string_view>& pieces, providers::AnswerSink& sink);

/// Fails the running test where the answer differs for one of these cuts: at each byte of a body below 96 KiB, at
/// 1,000 random positions of a longer one (several, far apart, in one pass above 8 KiB); byte by byte; in random
/// pieces. What was cut is counted for the summary that the program prints at its end.
void expect_same_for_every_cut(const MakeDecoder& make, std::string_view body);

/// Fails the running test where a beginning of the body counts as a whole answer, or as anything but one failure.
/// `needed`: bytes from which on an answer may be whole. To be used where the whole body is a finished answer.
void expect_failure_wherever_it_is_cut_off(const MakeDecoder& make, std::string_view body, std::size_t needed);

/// Counts an exchange for the summary, however often it is named.
void note_read(const std::string& name);

/// Names an exchange that no test of this program takes, and why, for the summary.
void note_skipped(std::string_view name, std::string_view why);

}  // namespace tokenrail::conformance
