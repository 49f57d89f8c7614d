#!/usr/bin/perl
# The benchmark's source of frames. It answers Claude Code's stream-json just enough to be held in a session, and knows
# one prompt: `stream FROM UNTIL RATE` prints text deltas of about 300 bytes from one time to another, RATE a second, on
# a fixed grid. Times are seconds of CLOCK_MONOTONIC, which all processes of a machine share; each delta begins with
# @ and the microsecond at which it was printed. Perl, because 50 of these must leave the machine to what is measured:
# a start of 10 ms and some µs a frame.
use strict;
use warnings;
use Time::HiRes qw(sleep clock_gettime CLOCK_MONOTONIC);

if (grep { $_ eq '--version' } @ARGV) {
    print "2.1.329 (Claude Code stand-in: bench source)\n";
    exit 0;
}

my $session = 'no-session';
for my $i (0 .. $#ARGV - 1) {
    $session = $ARGV[ $i + 1 ] if $ARGV[$i] =~ /^--(session-id|resume)$/;
}
my $count = 0;
my $usage = '"usage":{"input_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}';

while (defined(my $line = <STDIN>)) {
    if ($line =~ /"control_request"/) {
        my ($id) = $line =~ /"request_id":"([^"]+)"/;
        out(qq({"type":"control_response","response":{"subtype":"success","request_id":"$id","response":{"commands":[]}}}));
    }
    elsif ($line =~ /"type":"user".*"uuid":"([^"]+)".*stream ([\d.]+) ([\d.]+) ([\d.]+)/) {
        turn($1, $2, $3, $4);
    }
}

sub turn {
    my ($prompt, $from, $until, $rate) = @_;
    my $named = qq("user_message_uuid":"$prompt","user_message_uuids":["$prompt"]);
    my $message = sprintf 'msg_bench%016d', ++$count;
    out(qq({"type":"system","subtype":"init","cwd":"/","session_id":"$session","tools":[],"mcp_servers":[],"model":"bench-source","permissionMode":"default","apiKeySource":"none","claude_code_version":"2.1.329",$named}));
    event($message, qq({"type":"message_start","message":{"id":"$message","type":"message","role":"assistant","model":"bench-source","content":[],"stop_reason":null,"stop_sequence":null,$usage}}));
    event($message, '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}');

    my $said = '';
    for (my $at = $from ; $at < $until ; $at += 1 / $rate) {
        my $wait = $at - clock_gettime(CLOCK_MONOTONIC);
        sleep($wait) if $wait > 0;
        my $text = sprintf '@%d a few words', clock_gettime(CLOCK_MONOTONIC) * 1e6;
        event($message, qq({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"$text"}}));
        $said .= $text;
    }

    out(qq({"type":"assistant","message":{"id":"$message","type":"message","role":"assistant","model":"bench-source","content":[{"type":"text","text":"$said"}],"stop_reason":null,"stop_sequence":null,$usage},"parent_tool_use_id":null,"session_id":"$session"}));
    event($message, '{"type":"content_block_stop","index":0}');
    event($message, qq({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},$usage}));
    event($message, '{"type":"message_stop"}');
    out(qq({"type":"result","subtype":"success","is_error":false,"result":"$said","stop_reason":"end_turn","num_turns":1,"duration_ms":1,"total_cost_usd":0,"terminal_reason":"completed","session_id":"$session",$usage,$named}));
}

sub event {
    my ($message, $event) = @_;
    my $uuid = sprintf '%08x-0000-4000-8000-%012x', $$, ++$count;
    out(qq({"type":"stream_event","event":$event,"session_id":"$session","parent_tool_use_id":null,"uuid":"$uuid","api_message_id":"$message"}));
}

sub out {
    my $rest = "$_[0]\n";
    while ($rest ne '') {
        my $written = syswrite STDOUT, $rest;
        exit 1 unless defined $written;
        substr($rest, 0, $written) = '';
    }
}
