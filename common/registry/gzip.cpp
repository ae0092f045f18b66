#include "common/registry/gzip.hpp"

#include <array>
#include <new>

#include <zlib.h>

namespace tokenrail::registry {

namespace {

constexpr int window_bits = 15;
constexpr int gzip_header = 16;  ///< added to the window bits: a gzip header and trailer
constexpr int memory_level = 8;
constexpr std::size_t part_max = std::size_t{1} << 30U;  ///< zlib counts in 32 bits

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits + gzip_header, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out;
  std::array<unsigned char, 16'384> room{};
  do {
    const auto part = text.substr(0, part_max);
    text.remove_prefix(part.size());
    // zlib only reads from it.
    stream.next_in = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    do {
      stream.next_out = room.data();
      stream.avail_out = static_cast<uInt>(room.size());
      deflate(&stream, text.empty() ? Z_FINISH : Z_NO_FLUSH);
      out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!text.empty());
  deflateEnd(&stream);
  return out;
}

std::optional<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() > part_max) return std::nullopt;
  z_stream stream{};
  if (inflateInit2(&stream, window_bits + gzip_header) != Z_OK) throw std::bad_alloc();
  std::string out;
  std::array<unsigned char, 16'384> room{};
  // zlib only reads from it.
  stream.next_in = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int state = Z_OK;
  while (state == Z_OK && out.size() <= bytes_max) {
    stream.next_out = room.data();
    stream.avail_out = static_cast<uInt>(room.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state == Z_MEM_ERROR) throw std::bad_alloc();
  if (state != Z_STREAM_END || stream.avail_in != 0 || out.size() > bytes_max) return std::nullopt;
  return out;
}

}  // namespace tokenrail::registry
