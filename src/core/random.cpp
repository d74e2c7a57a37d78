#include "thalweg/core/random.hpp"

#include <Random123/philox.h>

#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <boost/random/uniform_int_distribution.hpp>

namespace thalweg {

Stream::Stream(std::uint64_t seed, Purpose purpose, std::uint64_t step)
    : key_{seed, static_cast<std::uint64_t>(purpose)}, counter_{0, step, 0, 0} {}

Stream::result_type Stream::operator()() {
  if (used_ == 4) {
    const auto words = r123::Philox4x64()({{counter_[0], counter_[1], counter_[2], counter_[3]}}, {{key_[0], key_[1]}});
    block_ = {words[0], words[1], words[2], words[3]};
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

double Stream::uniform() { return boost::random::uniform_01<double>()(*this); }

double Stream::normal() { return boost::random::normal_distribution<double>()(*this); }

std::uint64_t Stream::below(std::uint64_t count) {
  return boost::random::uniform_int_distribution<std::uint64_t>(0, count - 1)(*this);
}

}  // namespace thalweg
