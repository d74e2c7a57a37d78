#pragma once

#include <cstdint>

namespace thalweg::bench {

/// How many blocks of memory this process has asked the heap for, by malloc and its kin and so by operator new.
std::int64_t allocations();

}  // namespace thalweg::bench
