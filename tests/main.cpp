#include <gtest/gtest.h>

#include "thalweg/core/petsc.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const thalweg::petsc::Session session;
  return RUN_ALL_TESTS();
}
