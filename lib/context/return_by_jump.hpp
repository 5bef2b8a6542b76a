// A return that the processor foresees although the stack was changed.
//
// The processor foresees where a `ret` goes by the calls that it has seen last. Behind a switch
// those are the other side's, so each is a surprise, of 9 ns; but where a jump goes it foresees by
// what the same jump did before. So the two functions that are left behind a switch jump back to
// their callers, as the switch of Boost.Context itself does. (gcc has this for another purpose: it
// calls the jump a thunk, and leaves it to us under the name of the one in the Linux kernel.)
//
// With shadow stacks (CET) only a `ret` returns; and clang 14 does not know the attribute.
//
// To be included by one file, which has the thunk.
#pragma once

#if defined(__x86_64__) && !defined(__clang__) && !(defined(__CET__) && (__CET__ & 2))
#define SIGEXC_RETURN_BY_JUMP [[gnu::function_return("thunk-extern")]]
// rcx neither returns anything nor is kept for the caller.
asm(R"(
	.pushsection .text
	.globl	__x86_return_thunk
	.hidden	__x86_return_thunk
	.type	__x86_return_thunk, @function
__x86_return_thunk:
	.cfi_startproc
	pop	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rcx
	jmp	*%rcx
	.cfi_endproc
	.size	__x86_return_thunk, . - __x86_return_thunk
	.popsection
)");
#else
#define SIGEXC_RETURN_BY_JUMP
#endif
